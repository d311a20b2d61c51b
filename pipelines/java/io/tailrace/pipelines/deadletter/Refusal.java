package io.tailrace.pipelines.deadletter;

/** Why a letter is not sent back. */
enum Refusal {
  /** A deletion from after it may be forgotten. */
  TOO_OLD(
      "published longer ago than the online writer remembers deletions (--deletionRetention):"
          + " a value that was deleted since could come again. Discard them"),
  /** It has not all of its message, nor says where the rest is. */
  INCOMPLETE(
      "without the value, the key or the headers of their message, for which there was no room and"
          + " no --deadLetterOverflow:"
          + " read it where it was, as 'show' says, and publish it anew"),
  /** The rest of its message is in a file. */
  IN_A_FILE(
      "with bytes in a file that can't be read here: name the directory that the writers have with"
          + " --deadLetterOverflow"),
  /** The bus that it came from is not reached like the dead-letter bus. */
  ELSEWHERE(
      "from a bus on other servers than the dead-letter bus, or in another project of Pub/Sub, or"
          + " that do not say from which: say with --to=URI where to send them");

  private final String words;

  Refusal(String words) {
    this.words = words;
  }

  /** Returns why and what to do, as it stands behind the number of letters. */
  String words() {
    return words;
  }
}

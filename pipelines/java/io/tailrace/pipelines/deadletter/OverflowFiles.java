package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.stage.Overflow;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The files with what was too large for a dead-letter topic, which go when nobody needs them any
 * more: when every letter that names one is settled, or when the topic has forgotten them all. Each
 * letter has a file of its own, which its copies name too; letters of earlier versions may share
 * one. Remembers the names of those that are named.
 */
final class OverflowFiles {
  /** A writer that is held up writes a file long before its letter. */
  private static final Duration GRACE = Duration.ofDays(1);

  private final Bus bus;
  private final Optional<Overflow> overflow;

  /**
   * What the letters of a topic name.
   *
   * @param elsewhere a file that is in another directory, if one names such a file
   */
  private record Named(
      Set<String> needed,
      Set<String> settled,
      Optional<String> elsewhere,
      Optional<Duration> kept) {}

  OverflowFiles(Bus bus, LetterContents contents) {
    this.bus = bus;
    this.overflow = contents.overflow();
  }

  /**
   * Deletes those of which every letter is settled.
   *
   * @return a sentence about it, if there was anything to delete
   */
  Optional<String> deleteSettled() throws UnavailableException, CommandException {
    if (overflow.isEmpty()) {
      return Optional.empty();
    }
    Set<String> files = look(overflow.get()).settled;
    return files.isEmpty() ? Optional.empty() : delete(overflow.get(), files);
  }

  /**
   * Deletes those of which every letter is settled, and those that are older than the topic keeps
   * letters and that none of its letters names.
   *
   * @return a sentence about it
   * @throws CommandException if nothing is there, and letters name files that are elsewhere
   */
  String sweep() throws UnavailableException, CommandException {
    Overflow directory = overflow.orElseThrow();
    Named named = look(directory);
    Map<String, Instant> all = files(directory);
    if (all.isEmpty() && named.elsewhere.isPresent()) {
      throw new CommandException(
          "No file of a letter is in "
              + directory
              + ", and letters name files elsewhere, such as "
              + TerminalText.safe(named.elsewhere.get())
              + ": give --deadLetterOverflow as the writers have it");
    }
    Set<String> files = new HashSet<>(named.settled);
    if (named.kept.isPresent()) {
      Instant oldest = Instant.now().minus(named.kept.get()).minus(GRACE);
      all.forEach(
          (uri, written) -> {
            if (written.isBefore(oldest) && !named.needed.contains(uri)) {
              files.add(uri);
            }
          });
    }
    return delete(directory, files).orElseGet(() -> "No file in " + directory + " can be deleted");
  }

  private Named look(Overflow directory) throws UnavailableException, CommandException {
    Set<String> needed = new HashSet<>();
    Set<String> settled = new HashSet<>();
    String[] elsewhere = {null};
    // Opened anew: what was written meanwhile counts, too.
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      SettledLetters known = WaitingLetters.of(log).settled();
      log.read(
          message -> {
            Optional<String> uri = StoredLetter.of(message).flatMap(StoredLetter::payloadUri);
            boolean isSettled = known.has(message.place());
            if (uri.isPresent() && directory.holds(uri.get())) {
              (isSettled ? settled : needed).add(uri.get());
            } else if (uri.isPresent() && !isSettled) {
              elsewhere[0] = uri.get();
            }
            return true;
          });
      settled.removeAll(needed);
      // One that was not shown may need them.
      return new Named(
          needed,
          log.showsAll() ? settled : Set.of(),
          Optional.ofNullable(elsewhere[0]),
          log.keeps());
    }
  }

  private Optional<String> delete(Overflow directory, Set<String> uris)
      throws UnavailableException {
    Set<String> there = new HashSet<>(uris);
    there.retainAll(files(directory).keySet());
    if (there.isEmpty()) {
      return Optional.empty();
    }
    try {
      directory.delete(List.copyOf(there));
    } catch (IOException e) {
      throw new UnavailableException(
          "The letters are settled, but files in "
              + directory
              + " can't be deleted: "
              + e.getMessage()
              + ". 'dead-letters sweep' tries again",
          e);
    }
    return Optional.of(TerminalText.count(there.size(), "file") + " deleted from " + directory);
  }

  private static Map<String, Instant> files(Overflow directory) throws UnavailableException {
    try {
      return directory.files();
    } catch (IOException e) {
      throw new UnavailableException(directory + " can't be listed: " + e.getMessage(), e);
    }
  }
}

package io.tailrace.pipelines.deadletter;

import io.tailrace.v1.DeadLetter.Reason;

/**
 * What a reason means to a person: what was expected instead, and what helps.
 *
 * @param expected a part of a sentence
 * @param help what to do, in sentences
 */
record Advice(String expected, String help) {
  private static final String SAME =
      "The same bytes are refused by the same writer again: correct the publisher, publish anew,"
          + " and discard this letter.";

  /** Returns the advice on a reason. */
  static Advice on(Reason reason) {
    return switch (reason) {
      case UNDECODABLE -> new Advice("bytes that are a message of the contract", SAME);
      case MISSING_FIELD -> new Advice("a value: the field is required, and not empty", SAME);
      case LENGTH_MISMATCH ->
          new Advice(
              "as many entries as there are rows, or one for all where that is allowed", SAME);
      case UNKNOWN_TYPE ->
          new Advice(
              "something that this version of the writer knows",
              "A later version may know it: upgrade the writer, then replay. Else correct the"
                  + " publisher.");
      case INVALID_VALUE -> new Advice("a value that is allowed there", SAME);
      case OBSERVED_IN_FUTURE ->
          new Advice(
              "an observation at most --maxClockSkew after its publication",
              "Correct the publisher's clock. A replay keeps the time of the original's"
                  + " publication: it helps only with a greater --maxClockSkew of the writer.");
      case REJECTED_BY_STORE ->
          new Advice(
              "something that the store can hold",
              "Unless the store was changed since, the same bytes are refused again.");
      case UNKNOWN_ENVIRONMENT ->
          new Advice(
              "an environment that --environments of the writer lists",
              "If it should be served, add it to --environments, start the writer anew and replay."
                  + " Else correct the publisher, and discard this letter.");
      case TYPE_CHANGED ->
          new Advice(
              "values and keys of the type that the feature's table has",
              "Publish the new type under another feature's name, or rename the old table (the"
                  + " writer creates another one) and replay.");
      case TOO_LARGE ->
          new Advice(
              "a message that the next bus and the writer's memory have room for",
              "Raise max.message.bytes of the topic that it goes to, or the writer's heap, as the"
                  + " message says; then replay.");
      case NAME_TAKEN ->
          new Advice(
              "a table of that name that is this feature's",
              "Rename the table, or publish the feature under another name; then replay.");
      case TABLE_REFUSES ->
          new Advice(
              "a table that takes rows, as the others do",
              "Mend the table (its rights, triggers, constraints, columns) and replay: the writer's"
                  + " log says when it takes rows again.");
      case TOO_OLD ->
          new Advice(
              "a message from a time of which deletions are remembered",
              "Its values would undo deletions that are forgotten: discard this letter, and let the"
                  + " engine compute anew what is needed.");
      case MISSING_FILE ->
          new Advice(
              "files that are there when the notification is published, and stay as they are",
              "Write the files that are missing, or wait until all are there; then replay: what was"
                  + " loaded is not loaded again.");
      case REASON_UNSPECIFIED, UNRECOGNIZED ->
          new Advice("", "A later version of the writer gave this reason: show it with that one.");
    };
  }
}

package io.tailrace.offline.warehouse;

/** What a warehouse's refusal means for whoever asked. */
public enum Meaning {
  /** Ask again later, in another session: this one is over, or can't be reached. */
  SESSION,
  /** Ask again later: throttled, a full queue, a deadlock, a lock or a time that was over. */
  LATER,
  /** What was to be created is there, because others were faster. */
  THERE,
  /** A schema, a table, a column is not there, or is not as expected. */
  TABLES,
  /** The content can never be stored. */
  CONTENT,
  /** Somebody has to change something. */
  FINAL;

  /** Returns whether the same may work when it is asked again. */
  public boolean mayWork() {
    return this == SESSION || this == LATER;
  }
}

package io.tailrace.bus;

import java.io.Serializable;

/**
 * Who reads a bus, as its group says from then on: so that another writer, or the same one with
 * another store, does not move the group's position by mistake. Immutable.
 *
 * @param group the consumer group, unless the bus's URI names one
 * @param writer what reads
 * @param store the identity of what it writes to; empty where that is not known
 * @param adoptsGroup whether it takes the place of another writer or store on purpose
 * @param alone whether two at once would count everything twice, so that it waits at its start for
 *     another job to end
 */
public record BusReader(
    String group, String writer, String store, boolean adoptsGroup, boolean alone)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Returns a reader that says nothing of itself but its group. */
  public static BusReader of(String group) {
    return new BusReader(group, group, "", false, false);
  }
}

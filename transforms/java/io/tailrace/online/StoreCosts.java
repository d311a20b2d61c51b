package io.tailrace.online;

/**
 * What a store was asked, and what it charges for that, where it is paid by requests. Immutable.
 *
 * @param requests requests to it, all of them
 * @param conflicts writes that had to be tried again, or given up, as what is stored was greater
 * @param retries requests that were sent again after a pause
 * @param writeUnits what writes are charged, those that fail among them
 * @param readUnits what reads are charged
 */
public record StoreCosts(
    long requests, long conflicts, long retries, long writeUnits, long readUnits) {
  /** Of a store that is not paid by requests. */
  public static final StoreCosts NONE = new StoreCosts(0, 0, 0, 0, 0);
}

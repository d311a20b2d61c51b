package io.tailrace.endpoint;

import java.io.Serializable;

/**
 * What a URI names: a bus or a store at an address. Immutable and serializable; holds no secret,
 * only where one is. A URI is parsed once, by {@link Kinds}; from then on the endpoint is passed
 * on, not its text.
 */
public interface Endpoint extends Serializable {
  /** Returns the address as it may be shown: without secrets. Not to be parsed again. */
  String uri();

  /** Returns whether one process alone can use it, as it is a file of the machine it runs on. */
  default boolean isForOneProcess() {
    return false;
  }

  /**
   * Returns an id that the store or the topic itself holds, made by whoever writes to it first: it
   * tells two that have had the same address apart, and knows one again that has another. Empty
   * where it has none.
   *
   * @throws UnavailableException with one sentence that names it and the correction
   */
  default String identity() throws UnavailableException {
    return "";
  }

  /**
   * Checks that it can be reached and used as configured.
   *
   * @throws UnavailableException with one sentence that names it and the correction
   */
  void check() throws UnavailableException;
}

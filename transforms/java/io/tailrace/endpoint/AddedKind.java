package io.tailrace.endpoint;

import io.tailrace.endpoint.Kinds.Kind;

/**
 * A kind of bus or store that somebody adds to the built-in ones without changing their list.
 *
 * <p>A class with a public constructor without arguments implements it, and a file {@code
 * META-INF/services/io.tailrace.endpoint.AddedKind} on the class path names that class, as {@link
 * java.util.ServiceLoader} asks. From then on every option and every {@code at(uri)} takes its
 * URIs, and help shows its example. It may be made anew each time that a URI is parsed.
 *
 * @param <E> the sort of endpoint
 */
public interface AddedKind<E extends Endpoint> {
  /** Returns what this is a kind of, such as {@code Bus.class} or {@code OfflineStore.class}. */
  Class<E> sort();

  /** Returns the kind; none of its schemes may be that of another kind of the same sort. */
  Kind<E> kind();
}

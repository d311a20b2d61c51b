package io.tailrace.endpoint;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The kinds of one sort of endpoint, such as all online stores: the one list of them, from which
 * URIs are mapped to endpoints, and help and errors take their examples. Immutable.
 *
 * @param <E> the sort of endpoint
 */
public final class Kinds<E extends Endpoint> {
  /**
   * A kind of endpoint.
   *
   * @param schemes the schemes of its URIs, in small letters
   * @param example a correct URI, for people
   * @param factory makes the endpoint of a URI with one of the schemes; throws an {@link
   *     IllegalArgumentException} that lists everything that is wrong with it, by {@link
   *     EndpointUri#finish}
   */
  public record Kind<E extends Endpoint>(
      List<String> schemes, String example, Function<EndpointUri, ? extends E> factory) {
    /** Copies the list. */
    public Kind {
      schemes = List.copyOf(schemes);
    }

    /** A kind with one scheme. */
    public static <E extends Endpoint> Kind<E> of(
        String scheme, String example, Function<EndpointUri, ? extends E> factory) {
      return new Kind<>(List.of(scheme), example, factory);
    }
  }

  private final String noun;
  private final List<Kind<E>> kinds;

  private Kinds(String noun, List<Kind<E>> kinds) {
    this.noun = noun;
    this.kinds = List.copyOf(kinds);
  }

  /**
   * Lists kinds.
   *
   * @param noun what they are, such as {@code online store}
   */
  public static <E extends Endpoint> Kinds<E> of(String noun, List<Kind<E>> kinds) {
    return new Kinds<>(noun, kinds);
  }

  /** Returns these kinds and one more: somebody else's, added without changing this list. */
  public Kinds<E> and(Kind<E> more) {
    return new Kinds<>(noun, Stream.concat(kinds.stream(), Stream.of(more)).toList());
  }

  /** Returns what they are, such as {@code online store}. */
  public String noun() {
    return noun;
  }

  /** Returns the kinds, in the order in which they are shown. */
  public List<Kind<E>> all() {
    return kinds;
  }

  /** Returns a correct URI of each kind, for people. */
  public String examples() {
    return String.join(", ", kinds.stream().map(Kind::example).toList());
  }

  /**
   * Returns the endpoint that a URI names.
   *
   * @throws IllegalArgumentException in one message: everything that is wrong with the URI, and a
   *     correct one
   */
  public E at(String uri) {
    EndpointUri parsed = EndpointUri.parse(uri);
    Optional<Kind<E>> kind =
        kinds.stream().filter(it -> it.schemes().contains(parsed.scheme())).findFirst();
    if (kind.isEmpty()) {
      throw new IllegalArgumentException(
          "'"
              + parsed
              + "' names no "
              + noun
              + ". "
              + (kinds.size() == 1 ? "Example: " : "Examples: ")
              + examples());
    }
    return kind.get().factory().apply(parsed);
  }
}

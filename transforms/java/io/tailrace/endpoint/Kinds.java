package io.tailrace.endpoint;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.ServiceLoader;
import java.util.function.Function;

/**
 * The kinds of one sort of endpoint, such as all online stores: the one list of them, from which
 * URIs are mapped to endpoints, and help and errors take their examples. Whoever uses the library
 * adds a kind of their own with {@link AddedKind}. Immutable.
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
   * @param driver what it needs besides the library; empty: nothing
   */
  public record Kind<E extends Endpoint>(
      List<String> schemes,
      String example,
      Function<EndpointUri, ? extends E> factory,
      Optional<Driver> driver) {
    /** Copies the list. */
    public Kind {
      schemes = List.copyOf(schemes);
    }

    /** A kind that needs nothing besides the library. */
    public Kind(List<String> schemes, String example, Function<EndpointUri, ? extends E> factory) {
      this(schemes, example, factory, Optional.empty());
    }

    /** A kind with one scheme. */
    public static <E extends Endpoint> Kind<E> of(
        String scheme, String example, Function<EndpointUri, ? extends E> factory) {
      return new Kind<>(List.of(scheme), example, factory);
    }

    /**
     * Returns this kind, which needs a dependency that the library doesn't bring.
     *
     * @param dependency {@code group:artifact}, for people
     * @param className a class in it
     */
    public Kind<E> needing(String dependency, String className) {
      return new Kind<>(schemes, example, factory, Optional.of(new Driver(dependency, className)));
    }

    private E at(EndpointUri uri) {
      // Asked of the class loader that the endpoint's classes come from.
      ClassLoader loader = factory.getClass().getClassLoader();
      driver
          .filter(it -> !it.isPresentFor(loader))
          .ifPresent(
              it -> {
                throw new IllegalArgumentException(
                    "'" + uri + "' needs " + it.dependency() + " on the class path: add it");
              });
      return factory.apply(uri);
    }
  }

  /**
   * A dependency that a kind needs and the library doesn't bring, as most who use it need another.
   *
   * @param dependency {@code group:artifact}
   * @param className a class in it
   */
  public record Driver(String dependency, String className) {
    private boolean isPresentFor(ClassLoader loader) {
      try {
        Class.forName(className, false, loader);
        return true;
      } catch (ClassNotFoundException e) {
        return false;
      }
    }
  }

  private final String noun;
  private final Class<E> sort;
  private final List<Kind<E>> builtIn;

  private Kinds(String noun, Class<E> sort, List<Kind<E>> builtIn) {
    this.noun = noun;
    this.sort = sort;
    this.builtIn = List.copyOf(builtIn);
  }

  /**
   * Lists the built-in kinds.
   *
   * @param noun what they are, such as {@code online store}
   * @param sort the interface that all of them implement
   */
  public static <E extends Endpoint> Kinds<E> of(String noun, Class<E> sort, List<Kind<E>> kinds) {
    return new Kinds<>(noun, sort, kinds);
  }

  /** Returns what they are, such as {@code online store}. */
  public String noun() {
    return noun;
  }

  /** Returns the built-in kinds, in the order in which they are shown. */
  public List<Kind<E>> builtIn() {
    return builtIn;
  }

  /**
   * Returns the kinds, those that were added behind the built-in ones, in the order in which they
   * are shown. Those that were added are looked for anew each time, by the thread's class loader.
   *
   * @throws IllegalStateException if two have one scheme
   */
  public List<Kind<E>> all() {
    List<Kind<E>> all = new ArrayList<>(builtIn);
    for (AddedKind<?> added : ServiceLoader.load(AddedKind.class)) {
      if (added.sort() == sort) {
        @SuppressWarnings("unchecked") // It says so itself.
        Kind<E> kind = ((AddedKind<E>) added).kind();
        for (String scheme : kind.schemes()) {
          if (find(all, scheme).isPresent()) {
            throw new IllegalStateException(
                added.getClass().getName()
                    + " adds a kind of "
                    + noun
                    + " with the scheme '"
                    + scheme
                    + "', which another one has: give it a scheme of its own");
          }
        }
        all.add(kind);
      }
    }
    return List.copyOf(all);
  }

  /** Returns a correct URI of each kind, for people. */
  public String examples() {
    return examples(all());
  }

  /**
   * Returns the endpoint that a URI names.
   *
   * @throws IllegalArgumentException in one message: everything that is wrong with the URI, and a
   *     correct one; or the dependency that its kind needs and that is not on the class path
   */
  public E at(String uri) {
    EndpointUri parsed = EndpointUri.parse(uri);
    List<Kind<E>> kinds = all();
    return find(kinds, parsed.scheme())
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "'"
                        + parsed
                        + "' names no "
                        + noun
                        + ". "
                        + (kinds.size() == 1 ? "Example: " : "Examples: ")
                        + examples(kinds)))
        .at(parsed);
  }

  private static <E extends Endpoint> Optional<Kind<E>> find(List<Kind<E>> kinds, String scheme) {
    return kinds.stream().filter(it -> it.schemes().contains(scheme)).findFirst();
  }

  private static <E extends Endpoint> String examples(List<Kind<E>> kinds) {
    return String.join(", ", kinds.stream().map(Kind::example).toList());
  }
}

package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.testing.AddedKinds;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;

/** A kind that somebody adds is as good as a built-in one. */
public class AddedKindTest {
  @Rule public final AddedKinds added = AddedKinds.of(Cave.class, Well.class);

  private final Kinds<Place> places =
      Kinds.of("place", Place.class, List.of(Kind.of("house", "house://h", Place::at)));

  @Test
  public void anAddedKindIsFoundByItsScheme() {
    assertThat(places.at("cave://deep").uri()).isEqualTo("cave://deep");
    assertThat(places.at("house://high").uri()).isEqualTo("house://high");
  }

  @Test
  public void helpAndErrorsShowItsExampleBehindTheBuiltInOnes() {
    assertThat(places.examples()).isEqualTo("house://h, cave://c");
    assertThat(assertThrows(IllegalArgumentException.class, () -> places.at("tent://t")))
        .hasMessageThat()
        .isEqualTo("'tent://t' names no place. Examples: house://h, cave://c");
  }

  @Test
  public void whatIsOfAnotherSortIsNotAmongThem() {
    assertThrows(IllegalArgumentException.class, () -> places.at("well://w"));
  }

  @Test
  public void aSchemeThatAnotherKindHasIsRefused() {
    Kinds<Place> caves =
        Kinds.of("place", Place.class, List.of(Kind.of("cave", "cave://own", Place::at)));

    assertThat(assertThrows(IllegalStateException.class, () -> caves.at("cave://c")))
        .hasMessageThat()
        .isEqualTo(
            "io.tailrace.endpoint.AddedKindTest$Cave adds a kind of place with the scheme 'cave',"
                + " which another one has: give it a scheme of its own");
  }

  @Test
  public void aDependencyThatIsMissingIsNamedBeforeAnythingElse() {
    Kinds<Place> towers =
        Kinds.of(
            "place",
            Place.class,
            List.of(
                Kind.<Place>of("tower", "tower://t", Place::at)
                    .needing("org.example:stairs", "org.example.Stairs"),
                Kind.<Place>of("hut", "hut://h", Place::at)
                    .needing("junit:junit", "org.junit.Test")));

    assertThat(assertThrows(IllegalArgumentException.class, () -> towers.at("tower://t?pwd=x")))
        .hasMessageThat()
        .isEqualTo("'tower://t?pwd=***' needs org.example:stairs on the class path: add it");
    assertThat(towers.at("hut://h").uri()).isEqualTo("hut://h");
  }

  /** A sort of endpoint. */
  public record Place(String uri) implements Endpoint {
    static Place at(EndpointUri uri) {
      return new Place(uri.toString());
    }

    @Override
    public void check() {}
  }

  /** Another one. */
  public record Hole(String uri) implements Endpoint {
    @Override
    public void check() {}
  }

  /** Adds a kind of place. */
  public static final class Cave implements AddedKind<Place> {
    @Override
    public Class<Place> sort() {
      return Place.class;
    }

    @Override
    public Kind<Place> kind() {
      return Kind.of("cave", "cave://c", Place::at);
    }
  }

  /** Adds a kind of hole. */
  public static final class Well implements AddedKind<Hole> {
    @Override
    public Class<Hole> sort() {
      return Hole.class;
    }

    @Override
    public Kind<Hole> kind() {
      return Kind.of("well", "well://w", uri -> new Hole(uri.toString()));
    }
  }
}

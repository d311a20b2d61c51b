package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import org.junit.Test;

/** Which table and schema a name gets, and that no two names get the same. */
public class TableNamesTest {
  private static final String[] PIECES = {
    "a",
    "b",
    "A",
    "_",
    "__",
    ".",
    "-",
    "ü",
    "0",
    "_32cd123432cd1234",
    "user",
    "a_really_long_piece_of_name"
  };

  @Test
  public void aPlainNameIsTakenAsItIs() {
    assertThat(TableNames.ofFeature("user.age")).isEqualTo("user__age");
    assertThat(TableNames.ofFeature("user.home_city2")).isEqualTo("user__home_city2");
    assertThat(TableNames.ofFeature("user_card.limit")).isEqualTo("user_card__limit");
  }

  @Test
  public void theEntitiesThemselvesHaveATableWithoutAName() {
    assertThat(TableNames.ofFeature("user.")).isEqualTo("user__");
    assertThat(TableNames.ofFeature("User.")).isEqualTo("user___ff8b4f567e421afd");
  }

  @Test
  public void aNameThatHasToBeChangedGetsAHash() {
    assertThat(TableNames.ofFeature("user.Age")).isEqualTo("user__age_98be80d40833b0e2");
    assertThat(TableNames.ofFeature("user.card.limit"))
        .isEqualTo("user_card__limit_8d59ca12f6d1a159");
    assertThat(TableNames.ofFeature("user.größe")).isEqualTo("user__gr__e_2ec03e04ce7d930a");
  }

  @Test
  public void anotherNamespaceIsAnotherTableWhereverTheDotsAre() {
    assertThat(TableNames.ofFeature("user", "card.limit"))
        .isEqualTo("user__card_limit_4e3f71e73af90b34");
    assertThat(TableNames.ofFeature("user.card", "limit"))
        .isEqualTo("user_card__limit_8d59ca12f6d1a159");
    assertThat(TableNames.ofFeature("user.card", "limit"))
        .isEqualTo(TableNames.ofFeature("user.card.limit"));
  }

  @Test
  public void aNameThatCouldBeReadInTwoWaysGetsAHash() {
    assertThat(TableNames.ofFeature("user.a__b")).isEqualTo("user__a__b_c0d113c9c3a4a84c");
    assertThat(TableNames.ofFeature("user__a.b")).isEqualTo("user__a__b_7a8fbc3db9f11c57");
    assertThat(TableNames.ofFeature("user._a")).isEqualTo("user___a_40148f99a66d3f0f");
    assertThat(TableNames.ofFeature("user.a_")).isEqualTo("user__a__715fbd592b81597a");
    assertThat(TableNames.ofFeature("user.age_0123abcd0123abcd"))
        .isEqualTo("user__age_0123abcd0123abcd_b5a1a6fc2d60f6ab");
  }

  @Test
  public void aNameIsCutToWhatPostgresAllows() {
    String longest = "user." + "n".repeat(57);

    assertThat(TableNames.ofFeature(longest)).isEqualTo("user__" + "n".repeat(57));
    assertThat(TableNames.ofFeature(longest + "n"))
        .isEqualTo("user__" + "n".repeat(40) + "_5904984745ebfc90");
  }

  @Test
  public void aCutNameIsNotThatOfAFeatureNamedLikeItsHash() {
    String namespace = "n".repeat(45);
    String cut = TableNames.ofFeature(namespace + ".a_feature_with_a_long_name");
    String hash = cut.substring(cut.length() - 16);

    assertThat(TableNames.ofFeature(namespace + "." + hash)).isNotEqualTo(cut);
  }

  @Test
  public void differentFeaturesNeverShareATable() {
    Random random = new Random(11);
    Map<String, String> features = new HashMap<>();
    for (int i = 0; i < 20_000; i++) {
      String feature = piece(random) + "x." + piece(random) + piece(random) + piece(random);
      String table = TableNames.ofFeature(feature);
      // A feature that is named like another's table is the hardest to tell apart.
      for (String each : new String[] {feature, table.replaceFirst("__", ".")}) {
        String name = TableNames.ofFeature(each);
        assertThat(name).matches("[a-z0-9_]{1,63}");
        String other = features.putIfAbsent(name, each);
        assertWithMessage(name).that(other == null || other.equals(each)).isTrue();
      }
    }
  }

  @Test
  public void aSchemaIsNamedLikeItsEnvironmentOrHasAHash() {
    assertThat(TableNames.ofEnvironment("production")).isEqualTo("production");
    assertThat(TableNames.ofEnvironment("Production")).isEqualTo("production_5b95bebae838617c");
    assertThat(TableNames.ofEnvironment("eu-west")).isEqualTo("eu_west_4727b12fe0a29489");
    assertThat(TableNames.ofEnvironment("e".repeat(40)))
        .isEqualTo("e".repeat(23) + "_60b9860c8c8a8349");
  }

  @Test
  public void aSchemaThatAStoreHasForItselfIsNoEnvironments() {
    for (String reserved : new String[] {"pg_live", "information_schema", "temp", "system"}) {
      String schema = TableNames.ofEnvironment(reserved);
      assertThat(schema).doesNotMatch("pg_.*|" + reserved);
      assertThat(schema).contains(reserved);
    }
    assertThat(TableNames.ofEnvironment("main")).isEqualTo("main");
  }

  private static String piece(Random random) {
    return PIECES[random.nextInt(PIECES.length)];
  }
}

package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.util.HexFormat;
import java.util.List;
import org.junit.Test;

/** That an observation has the id that the documentation gives it, whoever computes it. */
public class ObservationIdsTest {
  private static final long T = 1_767_225_600_000_000L;

  private record Observation(String operation, String feature, String key, long observedAt) {}

  private static final List<Observation> OBSERVATIONS =
      List.of(
          new Observation("op-1", "user.age", "ann", T),
          new Observation("op-1", "user.age", "42", T),
          new Observation("größe", "user.größe", "日本😀", T),
          new Observation("op:1", "user.", "1:2", -1),
          new Observation("o".repeat(300), "user." + "f".repeat(300), "k".repeat(300), 0),
          new Observation("op", "user.age", Long.toString(Long.MIN_VALUE), Long.MIN_VALUE),
          new Observation("op", "user.age", Long.toString(Long.MAX_VALUE), Long.MAX_VALUE),
          new Observation("op", "user.age", "-7", -62_135_596_800_000_000L));

  @Test
  public void goldenIds() {
    assertThat(hex(ObservationIds.of("op-1", "user.age", "ann", T)))
        .isEqualTo("928ff5a2fed748880777d2833595c9fe");
    assertThat(hex(ObservationIds.of("op-1", "user.age", "42", -1)))
        .isEqualTo("9e26dec4dc3a983b18eb83e23a326743");
  }

  @Test
  public void goldenIdsOfDeletions() {
    assertThat(hex(ObservationIds.ofDeletion("op-1", "user.age", "ann", T)))
        .isEqualTo("4538a18e0d298529792a416aa1080264");
    assertThat(hex(ObservationIds.ofDeletion("op-1", "user.", "42", -1)))
        .isEqualTo("a0c4b115b2e262b23678a047783eb32d");
  }

  @Test
  public void aValueAndADeletionOfOneMomentAreTwo() {
    ObservationIds ids = new ObservationIds();
    ids.beginDeletions("op".getBytes(UTF_8), "item.price".getBytes(UTF_8));
    byte[] id = new byte[ObservationIds.LENGTH];
    ids.compute(7, T, id, 0);
    assertThat(hex(id)).isEqualTo(hex(ObservationIds.ofDeletion("op", "item.price", "7", T)));
    assertThat(hex(id)).isNotEqualTo(hex(ObservationIds.of("op", "item.price", "7", T)));

    ids.begin("op".getBytes(UTF_8), "item.price".getBytes(UTF_8));
    ids.compute(7, T, id, 0);
    assertThat(hex(id)).isEqualTo(hex(ObservationIds.of("op", "item.price", "7", T)));
  }

  @Test
  public void anIdIsTheHashOfItsTextsBehindTheirLengths() throws Exception {
    for (Observation each : OBSERVATIONS) {
      StringBuilder text = new StringBuilder();
      for (String part :
          List.of(each.operation, each.feature, each.key, Long.toString(each.observedAt))) {
        text.append(part.getBytes(UTF_8).length).append(':').append(part);
      }
      byte[] md5 = MessageDigest.getInstance("MD5").digest(text.toString().getBytes(UTF_8));

      assertThat(hex(id(each))).isEqualTo(hex(md5));
    }
  }

  @Test
  public void duckDbComputesTheSameIdByTheSqlOfTheDocumentation() throws Exception {
    try (Connection duckDb = DriverManager.getConnection("jdbc:duckdb:")) {
      for (Observation each : OBSERVATIONS) {
        if (Math.abs(each.observedAt) > Long.MAX_VALUE / 2) {
          continue; // DuckDB has no such time.
        }
        assertThat(inSql(duckDb, each, "?::VARCHAR", false)).isEqualTo(hex(id(each)));
        assertThat(inSql(duckDb, each, "?::VARCHAR", true))
            .isEqualTo(
                hex(
                    ObservationIds.ofDeletion(
                        each.operation, each.feature, each.key, each.observedAt)));
        if (each.key.matches("-?[0-9]{1,19}")) {
          assertThat(inSql(duckDb, each, "?::BIGINT", false)).isEqualTo(hex(id(each)));
        }
      }
    }
  }

  private static String inSql(Connection duckDb, Observation of, String key, boolean deleted)
      throws Exception {
    String docs = Files.readString(Path.of("docs/offline-store.md"));
    String sql = docs.substring(docs.indexOf("md5("), docs.indexOf("::UUID") + 6);
    try (PreparedStatement query =
        duckDb.prepareStatement(
            "SELECT replace(("
                + sql
                + ")::VARCHAR, '-', '') FROM (SELECT ?::VARCHAR AS operation_id, ?::VARCHAR AS"
                + " feature, "
                + key
                + " AS pkey, make_timestamptz(?::BIGINT) AS observed_at, ?::BOOLEAN AS deleted)")) {
      query.setString(1, of.operation);
      query.setString(2, of.feature);
      query.setString(3, of.key);
      query.setLong(4, of.observedAt);
      query.setBoolean(5, deleted);
      try (ResultSet found = query.executeQuery()) {
        assertThat(found.next()).isTrue();
        return found.getString(1);
      }
    }
  }

  @Test
  public void aKeyThatIsAnIntegerHasTheIdOfItsText() {
    ObservationIds ids = new ObservationIds();
    ids.begin("op".getBytes(UTF_8), "item.price".getBytes(UTF_8));
    for (long observedAt : new long[] {T, 0, -1, Long.MIN_VALUE, Long.MAX_VALUE}) {
      for (long key = 1; key > 0; key *= 7) {
        for (long each : new long[] {key, -key, key - 1, Long.MIN_VALUE, Long.MAX_VALUE}) {
          byte[] id = new byte[ObservationIds.LENGTH + 2];

          ids.compute(each, observedAt, id, 1);

          assertThat(HexFormat.of().formatHex(id, 1, 17))
              .isEqualTo(
                  hex(ObservationIds.of("op", "item.price", Long.toString(each), observedAt)));
        }
      }
    }
  }

  @Test
  public void onePrefixServesManyObservations() {
    ObservationIds ids = new ObservationIds();
    for (Observation each : OBSERVATIONS) {
      ids.begin(each.operation.getBytes(UTF_8), each.feature.getBytes(UTF_8));
      for (Observation other : OBSERVATIONS) {
        byte[] key = ("«" + other.key + "»").getBytes(UTF_8);
        byte[] id = new byte[ObservationIds.LENGTH];

        ids.compute(key, 2, key.length - 4, other.observedAt, id, 0);

        assertThat(hex(id))
            .isEqualTo(
                hex(ObservationIds.of(each.operation, each.feature, other.key, other.observedAt)));
      }
    }
  }

  private static byte[] id(Observation of) {
    return ObservationIds.of(of.operation, of.feature, of.key, of.observedAt);
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }
}

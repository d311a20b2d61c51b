package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedByHand;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.online.EntityKey;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;

/** The newest observations beside history are those that the online store's cells would be. */
public abstract class WarehouseLatestContract {
  private static final long T = RandomResults.START;
  private static final long MONTH = 30 * 86_400_000_000L;
  private static final List<ValueType> TYPES = List.of(ValueType.values());

  private StagedByHand staged;
  private Loader loader;
  private Stage.Connection connection;

  /** Returns the store, which keeps the newest observations. */
  protected abstract OfflineStore store();

  protected abstract Stage stage();

  protected abstract Loader openLoader();

  /** Runs a statement of the database behind it. */
  protected abstract void execute(String statement) throws Exception;

  /** Returns the type of texts. */
  protected abstract String text();

  /** Returns how many random results are loaded, twice. */
  protected abstract int results();

  /** Returns a text that the warehouse can hold, in a key or a value. */
  protected String held(String text) {
    return text;
  }

  @Before
  public void open() {
    staged = new StagedByHand(stage());
    loader = openLoader();
    connection = stage().open();
  }

  @After
  public void close() {
    loader.close();
    connection.close();
  }

  private Inserted load(List<StagedFile> files) throws UnavailableException {
    return loader.load(connection, files);
  }

  private List<List<String>> rows(String sql) throws UnavailableException {
    return store().reader().query(sql, 100_000).rows();
  }

  /** Keeps all, and for ever, so that what expires online and what is not kept is of no matter. */
  private QueryResult kept(QueryResult result) {
    QueryResult.Builder kept = result.toBuilder();
    for (Deletion.Builder deletion : kept.getDeletionsBuilderList()) {
      for (int i = 0; i < deletion.getStringKeysCount(); i++) {
        deletion.setStringKeys(i, held(deletion.getStringKeys(i)));
      }
    }
    for (Frame.Builder frame : kept.getFramesBuilderList()) {
      for (int i = 0; i < frame.getStringKeysCount(); i++) {
        frame.setStringKeys(i, held(frame.getStringKeys(i)));
      }
      List<Column> columns = new ArrayList<>();
      for (Column column : frame.getColumnsList()) {
        if (column.getType() != Column.Type.VECTOR) {
          Column.Builder inCalendar = column.toBuilder();
          for (int i = 0; i < column.getStringValuesCount(); i++) {
            inCalendar.setStringValues(i, held(column.getStringValues(i)));
          }
          for (int i = 0; i < column.getDateValuesCount(); i++) {
            inCalendar.setDateValues(i, column.getDateValues(i) % 700_000);
          }
          for (int i = 0; i < column.getTimestampValuesCount(); i++) {
            inCalendar.setTimestampValues(i, column.getTimestampValues(i) % (1_900 * 12 * MONTH));
          }
          columns.add(
              inCalendar
                  .clearOrigin()
                  .clearCacheNulls()
                  .clearCacheDefaults()
                  .clearSkipOnline()
                  .clearSkipOffline()
                  .setMaxStaleness(Long.MAX_VALUE)
                  .build());
        }
      }
      frame.clearColumns().addAllColumns(columns);
    }
    return kept.build();
  }

  @Test
  public void inAnyOrderAndAsOftenAsTheyComeTheGreatestCellsStand() throws Exception {
    RandomResults results = RandomResults.seeded(7).withDeletions(0.3).ofEntities(4);
    List<QueryResult> all = new ArrayList<>();
    List<BusMessage> messages = new ArrayList<>();
    for (int i = 0; i < results(); i++) {
      all.add(kept(results.next()));
      messages.add(Messages.of(all.get(i), BundleEncoder.PUBLISHED_AT));
    }
    Random random = new Random(11);
    for (int round = 0; round < 2; round++) {
      Collections.shuffle(all, random);
      for (int from = 0; from < all.size(); from += results() / 4) {
        List<StagedFile> files =
            staged.put(all.subList(from, from + results() / 4).toArray(QueryResult[]::new));
        Inserted inserted = load(files);
        assertThat(inserted.refused()).isEmpty();
        assertThat(inserted.rejected()).isEmpty();
      }
    }

    Map<EntityKey, Map<String, String>> expected = new TreeMap<>(this::compare);
    ExpectedCells.after(messages)
        .forEach(
            (key, entity) -> {
              Map<String, String> cells = new TreeMap<>(entity.cells());
              cells.values().removeIf(cell -> cell.startsWith("02", 16));
              if (!cells.isEmpty()) {
                expected.put(key, cells);
              }
            });
    assertThat(expected).isNotEmpty();
    Set<String> namespaces = new TreeSet<>();
    for (QueryResult result : all) {
      result.getFramesList().forEach(frame -> namespaces.add(frame.getNamespace()));
    }
    assertThat(found(namespaces)).isEqualTo(expected);
  }

  private int compare(EntityKey one, EntityKey other) {
    return one.toString().compareTo(other.toString());
  }

  private Map<EntityKey, Map<String, String>> found(Set<String> namespaces) throws Exception {
    Map<EntityKey, Map<String, String>> found = new TreeMap<>(this::compare);
    for (String namespace : namespaces) {
      StringBuilder columns = new StringBuilder();
      for (ValueType type : TYPES) {
        columns.append(", value_").append(type.name().toLowerCase(Locale.ROOT));
      }
      for (List<String> row :
          rows(
              "SELECT pkey, feature, observed_at, value_type"
                  + columns
                  + " FROM production."
                  + "latest_"
                  + TableNames.ofEnvironment(namespace))) {
        ValueType type = ValueType.valueOf(row.get(3).toUpperCase(Locale.ROOT));
        found
            .computeIfAbsent(
                new EntityKey("production", namespace, row.get(0)), any -> new TreeMap<>())
            .put(
                row.get(1).substring(namespace.length() + 1),
                cell(Instant.parse(row.get(2)), type, row.get(4 + TYPES.indexOf(type))));
      }
    }
    return found;
  }

  private static String cell(Instant observedAt, ValueType type, String value) {
    HexFormat hex = HexFormat.of();
    return hex.toHexDigits(Micros.of(observedAt) ^ Long.MIN_VALUE)
        + (value == null ? "01" : "00")
        + "ffffffffffffffff"
        + hex.toHexDigits((byte) type.code())
        + (value == null ? "" : hex.formatHex(payload(type, value)));
  }

  private static byte[] payload(ValueType type, String value) {
    return switch (type) {
      case INT64 -> ByteBuffer.allocate(8).putLong(Long.parseLong(value)).array();
      case FLOAT64 -> ByteBuffer.allocate(8).putDouble(Double.parseDouble(value)).array();
      case BOOL -> new byte[] {(byte) (Boolean.parseBoolean(value) ? 1 : 0)};
      case TIMESTAMP -> ByteBuffer.allocate(8).putLong(Micros.of(Instant.parse(value))).array();
      case DATE -> ByteBuffer.allocate(4).putInt((int) LocalDate.parse(value).toEpochDay()).array();
      case BYTES -> HexFormat.of().parseHex(value);
      case STRING, JSON, VECTOR -> value.getBytes(StandardCharsets.UTF_8);
    };
  }

  private List<String> latest() throws UnavailableException {
    return rows(
            "SELECT pkey, feature, value_type, COALESCE(value_string, CAST(value_int64 AS "
                + text()
                + ")) FROM production.latest_user ORDER BY 1, 2")
        .stream()
        .map(Object::toString)
        .toList();
  }

  private static QueryResult at(String operation, long time, long value) {
    return Results.named(operation)
        .addFrames(Results.user("ann", Results.int64("age", time, value)))
        .build();
  }

  @Test
  public void whatIsReplayedAfterAMonthChangesNothing() throws Exception {
    QueryResult old = at("op-1", T, 1);
    load(staged.put(old));
    load(staged.put(at("op-2", T + 2, 2)));

    load(staged.put(at("op-1", T, 1)));
    load(staged.put(at("op-0", T - MONTH, 9)));

    assertThat(latest()).containsExactly("[ann, user.age, int64, 2]");
  }

  @Test
  public void deletionsTakeAwayWhatIsNotNewer() throws Exception {
    load(staged.put(at("op-1", T, 1)));
    load(staged.put(Results.named("op-2").addDeletions(Results.deletion("ann", T, "age")).build()));
    assertThat(latest()).isEmpty();

    load(staged.put(at("op-3", T + 1, 3)));
    assertThat(latest()).containsExactly("[ann, user.age, int64, 3]");

    load(staged.put(Results.named("op-4").addDeletions(Results.deletion("ann", T + 1)).build()));
    assertThat(latest()).isEmpty();

    load(staged.put(at("op-5", T, 5)));
    assertThat(latest()).isEmpty();
    load(staged.put(at("op-6", T + 2, 6)));
    assertThat(latest()).containsExactly("[ann, user.age, int64, 6]");
  }

  @Test
  public void aTableThatIsAnotherFeaturesTakesNoRowsOfThisOne() throws Exception {
    QueryResult size =
        Results.named("op-1").addFrames(Results.user("ann", Results.int64("size", T, 1))).build();
    load(staged.put(size));
    execute("ALTER VIEW production.user__size RENAME TO user__age");

    Inserted inserted = load(staged.put(at("op-2", T, 2)));

    assertThat(inserted.rejected().stream().map(each -> each.reason()).toList())
        .containsExactly(Reason.NAME_TAKEN);
    assertThat(inserted.rejected().get(0).message()).contains("belongs to the feature user.size");
    assertThat(inserted.rows().inserted()).isEqualTo(0);
    // Databricks keeps a row of its own there, by which owners exclude each other.
    assertThat(rows("SELECT pkey FROM production.rows_string_int64 WHERE namespace = 'user'"))
        .hasSize(1);
    // What was renamed is nobody's: the feature has another one as soon as it has rows again.
    load(staged.put(size.toBuilder().setOperationId("op-3").build()));
    assertThat(rows("SELECT pkey FROM production.user__size")).hasSize(2);
  }

  @Test
  public void aFeatureThatIsCalledLatestIsOneLikeAnyOther() throws Exception {
    load(
        staged.put(
            Results.named("op-1")
                .addFrames(
                    Results.user("ann", Results.int64("latest", T, 1), Results.int64("age", T, 2)))
                .build()));

    assertThat(rows("SELECT value FROM production.user__latest").toString()).isEqualTo("[[1]]");
    assertThat(latest())
        .containsExactly("[ann, user.age, int64, 2]", "[ann, user.latest, int64, 1]");
  }

  @Test
  public void anotherTypeIsNewerByItsTimeToo() throws Exception {
    load(staged.put(at("op-1", T + 5, 1)));
    QueryResult text =
        Results.named("op-2")
            .addFrames(Results.user("ann", Results.string("age", T + 6, "old")))
            .build();
    // As long as the feature's table has the other type, its rows are letters.
    assertThat(load(staged.put(text)).rejected()).hasSize(1);
    assertThat(latest()).containsExactly("[ann, user.age, int64, 1]");
    execute("ALTER VIEW production.user__age RENAME TO user__age_of_before");

    load(staged.put(text));
    load(staged.put(at("op-3", T + 4, 4)));

    assertThat(latest()).containsExactly("[ann, user.age, string, old]");
  }
}

package io.tailrace.offline.bigquery;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.api.services.bigquery.model.TableReference;
import io.tailrace.bus.BusMessage;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.LooseRow.State;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.testing.FrozenBytes;
import io.tailrace.testing.fakes.FakeBigQuery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * The latest table holds what the online stores would: whatever the order, the repetitions, the
 * deletions and the types of what comes.
 */
@RunWith(JUnit4.class)
public class LatestTest {
  private static final long MONTH = 30L * 86_400_000_000L;
  private static final List<String> FEATURES = List.of("user.a", "user.b", "user.a.");

  private FakeBigQuery bigQuery;
  private BigQueryAddress address;

  @Before
  public void start() throws Exception {
    bigQuery = FakeBigQuery.start();
    address = BigQueryAddress.of(EndpointUri.parse(bigQuery.uri("{environment}", "&latest=true")));
  }

  @After
  public void stop() {
    bigQuery.close();
  }

  @Test
  public void whateverComesInWhateverOrderTheNewestStands() throws Exception {
    Random random = new Random(13);
    BigQueryTables tables = new BigQueryTables(address, new BigQueryClient(address));
    assertThat(tables.create("production", List.of())).isEmpty();
    for (int run = 0; run < 10; run++) {
      String namespace = "user" + run;
      assertThat(tables.createLatest("production", namespace)).isEmpty();
      List<Observed> all = new ArrayList<>();
      for (int i = 0; i < 60; i++) {
        all.add(random(random, namespace));
      }
      // All of them once more, a month later, in another order.
      List<Observed> repeated = new ArrayList<>(all);
      repeated.addAll(all.subList(0, 30));
      Collections.shuffle(repeated, random);
      append(namespace, repeated);
      Collections.shuffle(all, random);
      append(namespace, all);

      assertWithMessage("run %s", run).that(found(namespace)).isEqualTo(expected(all));
    }
  }

  /** Few entities, times and values, so that most of them meet. */
  private static Observed random(Random random, String namespace) {
    boolean ofEntity = random.nextInt(10) == 0;
    String name = FEATURES.get(random.nextInt(FEATURES.size())).replace("user", namespace);
    State state =
        ofEntity || random.nextInt(6) == 0
            ? State.DELETED
            : random.nextInt(6) == 0 ? State.NULL : State.VALUE;
    ValueType type =
        List.of(ValueType.INT64, ValueType.FLOAT64, ValueType.STRING, ValueType.VECTOR)
            .get(random.nextInt(4));
    long number = random.nextInt(5) - 2L;
    LooseRow.Value value =
        switch (type) {
          case INT64 -> new LooseRow.Value(state, number, new byte[0]);
          case FLOAT64 ->
              new LooseRow.Value(state, Double.doubleToLongBits(number * 0.5), new byte[0]);
          case STRING -> new LooseRow.Value(state, 0, ("v" + number).getBytes(UTF_8));
          default ->
              new LooseRow.Value(state, 0, ByteBuffer.allocate(4).putFloat(number + 0.25f).array());
        };
    return new Observed(
        new LooseRow(
            new LooseRow.Name(namespace, ofEntity ? namespace + "." : name),
            new LooseRow.Key(new byte[16], ("u" + random.nextInt(3)).getBytes(UTF_8), 0),
            (random.nextInt(8) - 4) * MONTH,
            state == State.VALUE ? value : new LooseRow.Value(state, 0, new byte[0]),
            new LooseRow.Source(new byte[0], new byte[0], "op".getBytes(UTF_8))),
        true,
        state == State.DELETED ? Optional.empty() : Optional.of(type));
  }

  private void append(String namespace, List<Observed> all) throws Exception {
    String table = TableDesign.latestName(namespace);
    Destination destination =
        new Destination(bigQuery.project(), "production", table, Shape.LATEST);
    BusMessage origin = FrozenBytes.bareMessage(new byte[0]);
    TableReference reference =
        new TableReference()
            .setProjectId(bigQuery.project())
            .setDatasetId("production")
            .setTableId(table);
    for (Observed observed : all) {
      Map<String, Object> row =
          new HashMap<>(RowFormat.of(new AppendedRow(destination, origin, "production", observed)));
      bigQuery.tables().upsert(reference, row, LatestSequence.of(observed));
    }
  }

  /** What a reader sees: by entity and feature, when it was observed and its value as text. */
  private Map<String, String> found(String namespace) throws Exception {
    Map<String, String> found = new TreeMap<>();
    String view = "production." + TableNames.ofLatest(namespace);
    for (List<String> row :
        new BigQueryReader(address)
            .query(
                "SELECT pkey, feature, observed_at, value_type, int64_value, float64_value,"
                    + " string_value, vector_value FROM "
                    + view,
                1_000)
            .rows()) {
      String value =
          row.subList(4, 8).stream().filter(each -> each != null).findFirst().orElse("null");
      String before =
          found.put(row.get(0) + " " + row.get(1), row.get(2) + " " + row.get(3) + " " + value);
      assertThat(before).isNull();
    }
    return found;
  }

  private static Map<String, String> expected(List<Observed> all) {
    Map<String, Observed> newest = new TreeMap<>();
    Map<String, Long> fences = new TreeMap<>();
    for (Observed each : all) {
      String key = new String(each.row().key().text(), UTF_8);
      LooseRow.Name name = each.row().name();
      if (name.feature().equals(name.namespace() + ".")) {
        fences.merge(key, each.row().observedAt(), Math::max);
      } else {
        newest.merge(
            key + " " + each.row().name().feature(),
            each,
            (a, b) -> Arrays.compareUnsigned(cell(a), cell(b)) >= 0 ? a : b);
      }
    }
    Map<String, String> expected = new TreeMap<>();
    newest.forEach(
        (where, each) -> {
          long fence = fences.getOrDefault(where.split(" ", 2)[0], Long.MIN_VALUE);
          if (each.row().value().state() != State.DELETED && each.row().observedAt() > fence) {
            expected.put(where, text(each));
          }
        });
    return expected;
  }

  /** The cell of the online stores, without its expiry. */
  private static byte[] cell(Observed observed) {
    byte[] payload = RowFormat.payload(observed.row().value(), observed.valueType());
    return ByteBuffer.allocate(Long.BYTES + 2 + payload.length)
        .putLong(observed.row().observedAt() ^ Long.MIN_VALUE)
        .put((byte) observed.row().value().state().code())
        .put((byte) (int) observed.valueType().map(ValueType::code).orElse(0))
        .put(payload)
        .array();
  }

  private static String text(Observed observed) {
    ValueType type = observed.valueType().orElseThrow();
    LooseRow.Value value = observed.row().value();
    String text =
        value.state() == State.NULL
            ? "null"
            : switch (type) {
              case INT64 -> Long.toString(value.number());
              case FLOAT64 -> Double.toString(Double.longBitsToDouble(value.number()));
              case STRING -> new String(value.bytes(), UTF_8);
              default -> "[" + (double) ByteBuffer.wrap(value.bytes()).getFloat() + "]";
            };
    return java.time.Instant.EPOCH
            .plusNanos(0)
            .plus(observed.row().observedAt(), java.time.temporal.ChronoUnit.MICROS)
        + " "
        + type.name().toLowerCase(java.util.Locale.ROOT)
        + " "
        + text;
  }

  @Test
  public void aSequenceIsOneThatBigQueryTakesAndSortsAsCellsDo() {
    Random random = new Random(7);
    Map<String, byte[]> cells = new TreeMap<>();
    for (int i = 0; i < 2_000; i++) {
      Observed observed = random(random, "user");
      String sequence = LatestSequence.of(observed);
      assertThat(sequence).matches("[0-9a-f]{1,16}(/[0-9a-f]{1,16}){3}");
      cells.put(sequence, cell(observed));
    }
    List<byte[]> sorted =
        new ArrayList<>(new TreeSet<>(cells.keySet()).stream().map(cells::get).toList());
    for (int i = 1; i < sorted.size(); i++) {
      assertThat(Arrays.compareUnsigned(sorted.get(i - 1), sorted.get(i))).isAtMost(0);
    }
  }
}

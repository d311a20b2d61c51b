package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.online.BundleWriter;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.WriteOutcome;
import io.tailrace.stage.RejectedCell;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;

/** Content of every shape is stored as it is, and what is in the way harms only its own entity. */
public class RedisContentTest {
  private static final long T = OnlineWriters.START;

  @ClassRule @Rule public static final EmptyRedis redis = new EmptyRedis();

  @Test
  public void aKeyOfAnotherTypeRejectsOnlyItsEntity() throws Exception {
    redis.client().set("production:user:bea", "not a hash");

    BundleWriter.Written written =
        write(redis.uri(), ages("ann", "bea", "cid"), Results.of(Results.deletion("bea", T)));

    assertThat(redis.client().keys("*"))
        .containsExactly("production:user:ann", "production:user:bea", "production:user:cid");
    assertThat(redis.client().get("production:user:bea")).isEqualTo("not a hash");
    String why = "the key 'production:user:bea' holds something that is not a hash";
    assertThat(written.failures()).hasSize(2);
    assertThat(written.failures().get(0).reason()).isEqualTo(Reason.REJECTED_BY_STORE);
    assertThat(written.failures().get(0).cells())
        .containsExactly(
            new RejectedCell(Reason.REJECTED_BY_STORE, "user", "bea", "user.age", why));
    assertThat(written.failures().get(1).cells())
        .containsExactly(new RejectedCell(Reason.REJECTED_BY_STORE, "user", "bea", "", why));
    WriteOutcome outcome = written.outcomes().get(0);
    assertThat(outcome.rejected()).isEqualTo(1);
    assertThat(outcome.written()).isEqualTo(2);
    assertThat(written.outcomes().get(1).status()).isEqualTo(WriteOutcome.Status.FAILED);
  }

  @Test
  public void aValueMayHaveTenMegabytes() throws Exception {
    QueryResult less = named("x".repeat(10_000_000) + "a");
    QueryResult greater = named("x".repeat(10_000_000) + "b");

    assertThat(write(redis.uri(), less).outcomes().get(0).written()).isEqualTo(1);
    assertThat(write(redis.uri(), greater).outcomes().get(0).written()).isEqualTo(1);
    assertThat(write(redis.uri(), less).outcomes().get(0).stale()).isEqualTo(1);

    try (OnlineReader reader = OnlineReader.open(redis.uri())) {
      EntityKey ann = new EntityKey(Results.ENVIRONMENT, "user", "ann");
      assertThat(reader.read(ann).get("name").value()).hasValue("x".repeat(10_000_000) + "b");
    }
  }

  @Test
  public void namesMayBeLongAndOfAnyCharacters() throws Exception {
    List<Column> columns = new ArrayList<>();
    for (int length : new int[] {1, 31, 32, 255, 256, 65_535, 65_536}) {
      columns.add(Results.int64("n".repeat(length), T, length));
    }
    columns.add(Results.int64("größe:😀%.part", T, 1));
    QueryResult result = Results.of(Results.user("ann", columns.toArray(new Column[0])));

    write(redis.uri(), result);

    assertStands(result);
  }

  @Test
  public void valuesOfEveryLengthArePackedAndUnpacked() throws Exception {
    // About the lengths at which MessagePack writes another header, less those of a cell's own.
    Column[] columns =
        IntStream.of(0, 12, 13, 14, 236, 237, 238, 239, 65_516, 65_517, 65_518, 65_519)
            .mapToObj(length -> Results.string("f" + length, T, "v".repeat(length)))
            .toArray(Column[]::new);
    QueryResult result = Results.of(Results.user("ann", columns));

    write(redis.uri(), result);

    assertStands(result);
  }

  @Test
  public void callsMayHaveOneEntityOrAThousand() throws Exception {
    String[] keys = IntStream.range(0, 2_500).mapToObj(i -> "k" + i).toArray(String[]::new);
    QueryResult result = ages(keys);
    for (int entities : new int[] {1, 32, 1_000}) {
      redis.client().flushAll();
      String uri = redis.uri() + "?entitiesPerCall=" + entities;

      assertThat(write(uri, result).outcomes().get(0).written()).isEqualTo(keys.length);
      assertThat(write(uri, result).outcomes().get(0).duplicate()).isEqualTo(keys.length);

      assertStands(result);
    }
  }

  private static BundleWriter.Written write(String uri, QueryResult... results) throws Exception {
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(uri))) {
      return writer.write(T, results);
    }
  }

  private static void assertStands(QueryResult result) {
    assertThat(Hashes.in(redis.client()))
        .isEqualTo(Hashes.after(OnlineWriters.published(T, result)));
  }

  /** Makes the result of one entity with many features. */
  static QueryResult wide(long time, int features) {
    Frame.Builder frame = Results.user("ann").toBuilder();
    for (int i = 0; i < features; i++) {
      frame.addColumns(Results.int64("f" + i, time, i));
    }
    return Results.of(frame.build());
  }

  private static QueryResult ages(String... keys) {
    long[] ages = IntStream.range(0, keys.length).mapToLong(i -> i).toArray();
    return Results.of(Results.users(Arrays.asList(keys), Results.int64("age", T, ages)));
  }

  private static QueryResult named(String name) {
    return Results.of(Results.user("ann", Results.string("name", T, name)));
  }
}

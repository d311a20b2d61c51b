package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.metrics.Tally.Count;
import io.tailrace.testing.FrozenBytes;
import io.tailrace.testing.Summaries;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QuerySummary;
import java.util.EnumSet;
import java.util.List;
import org.junit.Test;

/** That the state of a metrics writer, and summaries, outlive the version that wrote them. */
public class MetricsCodersTest {
  private static final SeriesKey KEY =
      SeriesKey.ofFeature("production", "d-1", "user.größe", "resolver");
  private static final SeriesKey NO_KEY = new SeriesKey(SeriesKey.Kind.FEATURE, "", "", "", "");
  private static final SeriesShard SHARD =
      new SeriesShard("production", SeriesKey.Kind.OTHER_PUBLISHERS, 63, 2_048);
  private static final SeriesShard NO_SHARD = new SeriesShard("", SeriesKey.Kind.FEATURE, 0, 0);

  @Test
  public void theBytesOfAKeyAreThoseOfSavepoints() throws Exception {
    SeriesKey.KeyCoder coder = SeriesKey.KeyCoder.of();

    assertThat(FrozenBytes.of("SeriesKey.KeyCoder", "full").writtenFor(coder, KEY)).isEqualTo(KEY);
    assertThat(FrozenBytes.of("SeriesKey.KeyCoder", "empty").writtenFor(coder, NO_KEY))
        .isEqualTo(NO_KEY);
  }

  @Test
  public void theBytesOfAShardAreThoseOfSavepoints() throws Exception {
    SeriesShard.ShardCoder coder = SeriesShard.ShardCoder.of();

    assertThat(FrozenBytes.of("SeriesShard.ShardCoder", "full").writtenFor(coder, SHARD))
        .isEqualTo(SHARD);
    assertThat(FrozenBytes.of("SeriesShard.ShardCoder", "empty").writtenFor(coder, NO_SHARD))
        .isEqualTo(NO_SHARD);
  }

  @Test
  public void theBytesOfATallyAreThoseOfSavepoints() throws Exception {
    Tally.TallyCoder coder = Tally.TallyCoder.of();

    assertSame(FrozenBytes.of("Tally.TallyCoder", "full").writtenFor(coder, tally()), tally());
    assertSame(
        FrozenBytes.of("Tally.TallyCoder", "empty").writtenFor(coder, new Tally()), new Tally());
    Tally whole = tally();
    List<Count> all = List.of(Count.values());
    EnumSet.complementOf(COUNTED_FIRST).forEach(each -> whole.count(each, 100 + all.indexOf(each)));
    assertSame(FrozenBytes.of("Tally.TallyCoder", "later").writtenFor(coder, whole), whole);
  }

  @Test
  public void theBytesOfASeriesWithItsTallyAreThoseOfSavepoints() throws Exception {
    SeriesTally.SeriesTallyCoder coder = new SeriesTally.SeriesTallyCoder();

    SeriesTally full =
        FrozenBytes.of("SeriesTally.SeriesTallyCoder", "full")
            .writtenFor(coder, new SeriesTally(SHARD, KEY, tally()));
    SeriesTally empty =
        FrozenBytes.of("SeriesTally.SeriesTallyCoder", "empty")
            .writtenFor(coder, new SeriesTally(NO_SHARD, NO_KEY, new Tally()));

    assertThat(full.shard()).isEqualTo(SHARD);
    assertThat(full.key()).isEqualTo(KEY);
    assertSame(full.tally(), tally());
    assertThat(empty.shard()).isEqualTo(NO_SHARD);
    assertThat(empty.key()).isEqualTo(NO_KEY);
    assertSame(empty.tally(), new Tally());
  }

  @Test
  public void theBytesOfASummaryAreThoseOfSavepoints() throws Exception {
    PublishedSummary.SummaryCoder coder = PublishedSummary.SummaryCoder.of();
    MetricsSummary summary = Summaries.publisher("p-1", 7, 1, 300);
    PublishedSummary full =
        new PublishedSummary(summary, FrozenBytes.fullMessage(summary.toByteArray()));
    MetricsSummary nothing = Summaries.of(QuerySummary.newBuilder());
    PublishedSummary empty =
        new PublishedSummary(nothing, FrozenBytes.bareMessage(nothing.toByteArray()));

    assertThat(FrozenBytes.of("PublishedSummary.SummaryCoder", "full").writtenFor(coder, full))
        .isEqualTo(full);
    assertThat(FrozenBytes.of("PublishedSummary.SummaryCoder", "empty").writtenFor(coder, empty))
        .isEqualTo(empty);
  }

  /** What was counted when the format was frozen. */
  private static final EnumSet<Count> COUNTED_FIRST =
      EnumSet.range(Count.COMPUTED, Count.PUBLISHED);

  /** Returns one that has counted everything of then, and more values than are kept as they are. */
  private static Tally tally() {
    Tally counted = new Tally();
    int many = 1;
    for (Count each : COUNTED_FIRST) {
      counted.count(each, many++);
    }
    counted.countPublished(-5);
    counted.countPublished(300);
    // So few that the sketch throws no dice.
    for (int i = 0; i < 40; i++) {
      counted.values().add(i / 8.0);
    }
    counted.millis().add(12L);
    counted.millis().add(0.5);
    counted.settle();
    return counted.inEpoch(Summaries.EPOCH);
  }

  private static void assertSame(Tally read, Tally written) {
    for (SeriesKey.Kind kind : SeriesKey.Kind.values()) {
      SeriesKey key = new SeriesKey(kind, "e", "n", "d", "r");

      assertThat(read.summary(key).build()).isEqualTo(written.summary(key).build());
    }
    assertThat(read.values().count()).isEqualTo(written.values().count());
    assertThat(read.millis().count()).isEqualTo(written.millis().count());
  }
}

package io.tailrace.metrics;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import com.google.protobuf.ByteString;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.Balance;
import io.tailrace.testing.Messages;
import io.tailrace.testing.Summaries;
import io.tailrace.v1.FeatureSummary;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.Numbers;
import io.tailrace.v1.QuerySummary;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.DoubleStream;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.apache.datasketches.kll.KllDoublesSketch;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Which messages of the metrics bus are summaries, and what is said of the others. */
@RunWith(JUnit4.class)
public class DecodeSummariesTest {
  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  private static FeatureSummary.Builder age() {
    return FeatureSummary.newBuilder()
        .setFeature("user.age")
        .setComputed(10)
        .setNulls(2)
        .setServedOnline(2)
        .setNonFinite(1)
        .setValues(Summaries.numbers(1, 2, 3))
        .setStalenessMillis(Summaries.numbers(0, 5));
  }

  private static QuerySummary.Builder query() {
    return QuerySummary.newBuilder()
        .setQueryName("q")
        .setExecutions(3)
        .setFailures(1)
        .setPartial(1)
        .setLatencyMillis(Summaries.numbers(5, 6, 7));
  }

  private static BusMessage message(MetricsSummary summary) {
    return Messages.of(summary.toByteArray(), Summaries.MINUTE);
  }

  /** Returns the reason and the field of the failure that a change of a sound summary makes. */
  private static String refusal(Consumer<MetricsSummary.Builder> change) {
    MetricsSummary.Builder summary = Summaries.of(age()).toBuilder();
    change.accept(summary);
    return refusal(summary.build());
  }

  private static String refusalOf(FeatureSummary.Builder feature) {
    return refusal(Summaries.of(feature));
  }

  private static String refusalOf(QuerySummary.Builder query) {
    return refusal(Summaries.of(query));
  }

  private static String refusal(MetricsSummary summary) {
    InvalidMessageException refused =
        assertThrows(InvalidMessageException.class, () -> SummaryDecoder.decode(message(summary)));
    return refused.reason() + " " + refused.field();
  }

  @Test
  public void soundSummariesAreDecoded() throws Exception {
    double[] many = new Random(1).doubles(200_000).toArray();
    for (MetricsSummary sound :
        List.of(
            Summaries.of(age()),
            Summaries.of(query()),
            Summaries.of(query().setQueryName("")),
            Summaries.of(FeatureSummary.newBuilder().setOverflow(true).setComputed(1)),
            Summaries.of(
                age()
                    .clearFeature()
                    .setOverflow(true)
                    .setStalenessMillis(Summaries.numbers(0, 5).toBuilder().clearKllSketch())),
            Summaries.of(
                age()
                    .setComputed(many.length)
                    .setNulls(0)
                    .setNonFinite(0)
                    .setValues(Summaries.numbers(many))))) {
      assertThat(SummaryDecoder.decode(message(sound)).summary()).isEqualTo(sound);
    }
  }

  @Test
  public void whatIsMissingOrWrongIsNamed() {
    assertThat(refusal(it -> it.clearEnvironmentId())).isEqualTo("MISSING_FIELD environment_id");
    assertThat(refusal(it -> it.setMinute(Summaries.MINUTE + 1))).isEqualTo("INVALID_VALUE minute");
    assertThat(refusal(it -> it.setMinute(-62_135_596_800_000_000L - Summaries.ONE_MINUTE)))
        .isEqualTo("INVALID_VALUE minute");
    assertThat(refusal(it -> it.setMinute(253_402_300_800_000_000L)))
        .isEqualTo("INVALID_VALUE minute");
    assertThat(refusal(it -> it.clearEpoch())).isEqualTo("MISSING_FIELD epoch");
    assertThat(refusal(it -> it.setEpoch(Long.MAX_VALUE))).isEqualTo("INVALID_VALUE epoch");
    assertThat(refusal(it -> it.setPane(-1))).isEqualTo("INVALID_VALUE pane");
    assertThat(refusal(it -> it.clearTiming())).isEqualTo("MISSING_FIELD timing");
    assertThat(refusal(it -> it.setTimingValue(9))).isEqualTo("UNKNOWN_TYPE timing");
    assertThat(refusal(it -> it.clearSeries())).isEqualTo("MISSING_FIELD series");
    assertThat(refusal(it -> it.setEnvironmentId("a\0b")))
        .isEqualTo("INVALID_VALUE environment_id");
    assertThat(refusal(it -> it.setEnvironmentId("é".repeat(1_000))))
        .isEqualTo("INVALID_VALUE series");
  }

  @Test
  public void countsThatCanNotBeAreNamed() {
    assertThat(refusalOf(age().clearFeature())).isEqualTo("MISSING_FIELD feature.feature");
    assertThat(refusalOf(age().setOverflow(true))).isEqualTo("INVALID_VALUE feature.feature");
    assertThat(refusalOf(age().setComputed(-1))).isEqualTo("INVALID_VALUE feature.computed");
    assertThat(refusalOf(age().setServedOnline(Long.MAX_VALUE)))
        .isEqualTo("INVALID_VALUE feature.served_online");
    assertThat(refusalOf(age().setNulls(7))).isEqualTo("INVALID_VALUE feature.computed");
    assertThat(refusalOf(age().setServedOnline(1)))
        .isEqualTo("INVALID_VALUE feature.staleness_millis.count");
    assertThat(refusalOf(age().setStalenessMillis(Summaries.numbers(-1))))
        .isEqualTo("INVALID_VALUE feature.staleness_millis.min");
    assertThat(refusalOf(query().setFailures(3))).isEqualTo("INVALID_VALUE query.executions");
    assertThat(refusalOf(query().setLatencyMillis(Summaries.numbers(1, 2, 3, 4))))
        .isEqualTo("INVALID_VALUE query.latency_millis.count");
    assertThat(refusalOf(query().setOverflow(true))).isEqualTo("INVALID_VALUE query.query_name");
  }

  @Test
  public void distributionsThatCanNotBeAreNamed() {
    Numbers numbers = Summaries.numbers(1, 2, 3);
    assertThat(refusalOf(age().setValues(Numbers.getDefaultInstance())))
        .isEqualTo("MISSING_FIELD feature.values.count");
    assertThat(refusalOf(age().setValues(numbers.toBuilder().setSum(Double.NaN))))
        .isEqualTo("INVALID_VALUE feature.values.sum");
    assertThat(refusalOf(age().setValues(numbers.toBuilder().setMin(4))))
        .isEqualTo("INVALID_VALUE feature.values.min");
    assertThat(refusalOf(age().setValues(numbers.toBuilder().setMax(Double.POSITIVE_INFINITY))))
        .isEqualTo("INVALID_VALUE feature.values.min");
    assertThat(refusalOf(age().setValues(numbers.toBuilder().clearKllSketch())))
        .isEqualTo("MISSING_FIELD feature.values.kll_sketch");
    assertThat(refusalOf(age().setValues(numbers.toBuilder().setCount(2))))
        .isEqualTo("INVALID_VALUE feature.values.kll_sketch");
    assertThat(refusalOf(age().setValues(numbers.toBuilder().setMax(2.5))))
        .isEqualTo("INVALID_VALUE feature.values.kll_sketch");
  }

  private static String problem(byte[] sketch, long count) {
    return QuantileSketch.problem(ByteString.copyFrom(sketch), count, 0, 1_000_000).orElse("none");
  }

  private static KllDoublesSketch sketch(int k, int numbers) {
    KllDoublesSketch sketch = KllDoublesSketch.newHeapInstance(k);
    DoubleStream.iterate(0, it -> it + 1).limit(numbers).forEach(sketch::update);
    return sketch;
  }

  @Test
  public void sketchesThatTheLibraryWouldBelieveAreRefused() {
    byte[] sound = sketch(200, 5_000).toByteArray();
    assertThat(problem(sound, 5_000)).isEqualTo("none");

    // An array of 2^31 doubles: the heap would be gone.
    byte[] updatable = sound.clone();
    updatable[1] = 3;
    updatable[3] |= 16;
    ByteBuffer.wrap(updatable).order(ByteOrder.LITTLE_ENDIAN).putInt(20, Integer.MAX_VALUE);
    assertThat(problem(updatable, 5_000)).isEqualTo("it is not in the compact form");

    byte[] negative = sound.clone();
    ByteBuffer.wrap(negative).order(ByteOrder.LITTLE_ENDIAN).putInt(20, Integer.MIN_VALUE);
    assertThat(problem(negative, 5_000)).isEqualTo("its levels are not in order");

    byte[] shifted = sound.clone();
    ByteBuffer buffer = ByteBuffer.wrap(shifted).order(ByteOrder.LITTLE_ENDIAN);
    for (int level = 0; level < sound[18]; level++) {
      buffer.putInt(20 + 4 * level, buffer.getInt(20 + 4 * level) + 3);
    }
    assertThat(problem(shifted, 5_000)).isEqualTo("its levels do not begin where they must");

    byte[] nan = sound.clone();
    ByteBuffer.wrap(nan).order(ByteOrder.LITTLE_ENDIAN).putDouble(sound.length - 8, Double.NaN);
    assertThat(problem(nan, 5_000)).isEqualTo("it has numbers that are not between min and max");

    byte[] more = sound.clone();
    ByteBuffer.wrap(more).order(ByteOrder.LITTLE_ENDIAN).putLong(8, 5_001);
    assertThat(problem(more, 5_001)).isEqualTo("it says 5001 numbers and its levels have 5000");

    assertThat(problem(sketch(100, 5_000).toByteArray(), 5_000)).isEqualTo("its k is 100, not 200");
    assertThat(problem(sketch(200, 1).toByteArray(), 1)).isEqualTo("none");
    assertThat(problem(sketch(200, 0).toByteArray(), 1))
        .isEqualTo("it is no KLL sketch of at least one number");
    assertThat(problem(new byte[QuantileSketch.MAX_BYTES + 1], 1))
        .isEqualTo("it has 16385 bytes, more than 16384");
  }

  @Test
  public void noBytesTakeTheWorkerDown() {
    byte[] small = sketch(200, 300).toByteArray();
    byte[] large = sketch(200, 100_000).toByteArray();
    Random random = new Random(20_261_124);
    int refused = 0;
    for (int round = 0; round < 30_000; round++) {
      byte[] bytes = (random.nextBoolean() ? small : large).clone();
      for (int change = random.nextInt(4); change >= 0; change--) {
        // Where the layout is, more often than where the numbers are.
        int at = random.nextInt(random.nextBoolean() ? 60 : bytes.length);
        bytes[at] = (byte) random.nextInt();
      }
      if (random.nextInt(4) == 0) {
        bytes = Arrays.copyOf(bytes, random.nextInt(bytes.length + 100));
      }
      byte[] hostile = bytes;
      long count = random.nextBoolean() ? 300 : 100_000;
      ByteString sketch = ByteString.copyFrom(hostile);
      if (QuantileSketch.problem(sketch, count, 0, 1_000_000).isPresent()) {
        refused++;
      } else {
        // What passes can be read.
        assertThat(QuantileSketch.quantiles(sketch)).hasLength(3);
      }
    }
    assertWithMessage("refused").that(refused).isAtLeast(15_000);
  }

  @Test
  public void messagesOfOthersArePassedOverAndOfUnknownEnvironmentsRefused() {
    BusMessage served = message(Summaries.of(age()));
    BusMessage unknown = message(Summaries.of(age()).toBuilder().setEnvironmentId("prodd").build());
    BusMessage garbage = Messages.of("{}".getBytes(StandardCharsets.UTF_8), 5);
    BusMessage mine = addressed("metrics-bus-writer");
    BusMessage elsewhere = addressed("metrics-writer");

    WithFailures.Result<PCollection<PublishedSummary>, Failure> decoded =
        pipeline
            .apply(Create.of(served, unknown, garbage, mine, elsewhere))
            .apply(
                DecodeSummaries.forWriter("metrics-bus-writer")
                    .ofEnvironments(Set.of("prod", "test")));

    PAssert.that(decoded.output())
        .containsInAnyOrder(
            new PublishedSummary(Summaries.of(age()), served),
            new PublishedSummary(Summaries.of(age()), mine));
    PAssert.that(
            decoded
                .failures()
                .apply(
                    MapElements.into(TypeDescriptors.strings())
                        .via(
                            failure ->
                                failure.stage()
                                    + " "
                                    + failure.reason()
                                    + " "
                                    + failure.field()
                                    + " "
                                    + failure.message().replaceFirst(": .*", "")
                                    + failure.original().payload().length)))
        .containsInAnyOrder(
            "DecodeSummaries UNKNOWN_ENVIRONMENT environment_id environment 'prodd' is not one of"
                + " those served here"
                + unknown.payload().length,
            "DecodeSummaries UNDECODABLE  the bytes are not a MetricsSummary2");
    Balance.run(pipeline);
  }

  private static BusMessage addressed(String addressee) {
    return BusMessage.of(
        Summaries.of(age()).toByteArray(),
        null,
        Place.numbered("metrics", 0, 9),
        MessageTime.ofBus(5),
        Messages.letterOf(addressee));
  }
}

package io.tailrace.pipelines.local.traffic;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.Column.Origin;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class SampleTrafficTest {
  private static final long NOW = 1_790_000_000_000_000L;
  private static final long HOUR = 3_600_000_000L;
  private static final long DAY = 24 * HOUR;
  private static final int MANY = 6_000;

  @Test
  public void sameSeedAndTimesGiveTheSameMessages() {
    assertThat(messages(7, 2_000)).isEqualTo(messages(7, 2_000));
    assertThat(messages(8, 10)).isNotEqualTo(messages(7, 10));
  }

  @Test
  public void everyTypeNullHandlingAndReasonNotToStoreOccurs() {
    Set<Column.Type> types = EnumSet.noneOf(Column.Type.class);
    Set<CacheNulls> nulls = EnumSet.noneOf(CacheNulls.class);
    Set<Origin> origins = EnumSet.noneOf(Origin.class);
    boolean skipsOnline = false;
    boolean hasNoStaleness = false;
    boolean neverExpires = false;
    for (QueryResult result : decodable(messages(1, MANY))) {
      for (Frame frame : result.getFramesList()) {
        for (Column column : frame.getColumnsList()) {
          types.add(column.getType());
          origins.add(column.getOrigin());
          if (!column.getNulls().isEmpty()) {
            nulls.add(column.getCacheNulls());
          }
          skipsOnline |= column.getSkipOnline();
          hasNoStaleness |= column.getMaxStaleness() == 0;
          neverExpires |= column.getMaxStaleness() == Long.MAX_VALUE;
        }
      }
    }
    assertThat(types)
        .isEqualTo(
            EnumSet.complementOf(
                EnumSet.of(Column.Type.TYPE_UNSPECIFIED, Column.Type.UNRECOGNIZED)));
    assertThat(nulls).isEqualTo(EnumSet.complementOf(EnumSet.of(CacheNulls.UNRECOGNIZED)));
    assertThat(origins).isEqualTo(EnumSet.complementOf(EnumSet.of(Origin.UNRECOGNIZED)));
    assertThat(skipsOnline).isTrue();
    assertThat(hasNoStaleness).isTrue();
    assertThat(neverExpires).isTrue();
  }

  @Test
  public void keysAreStringsAndIntegersOfSeveralNamespacesAndOftenManyAtOnce() {
    Set<String> strings = new TreeSet<>();
    Set<String> integers = new TreeSet<>();
    int rows = 0;
    for (QueryResult result : decodable(messages(1, MANY))) {
      for (Frame frame : result.getFramesList()) {
        (frame.getStringKeysCount() > 0 ? strings : integers).add(frame.getNamespace());
        rows = Math.max(rows, frame.getStringKeysCount());
      }
    }
    assertThat(strings).containsExactly("device", "merchant", "transaction");
    assertThat(integers).containsExactly("region", "user");
    assertThat(rows).isEqualTo(20);
  }

  @Test
  public void resultsComeLateTwiceWithOtherValuesForTheSameTimeAndAsDeletions() {
    Set<String> operations = new HashSet<>();
    Set<String> observations = new HashSet<>();
    int duplicates = 0;
    int contradictions = 0;
    int late = 0;
    int old = 0;
    int featureDeletions = 0;
    int entityDeletions = 0;
    for (QueryResult result : decodable(messages(1, MANY))) {
      if (!operations.add(result.getOperationId())) {
        duplicates++;
        continue;
      }
      for (Deletion deletion : result.getDeletionsList()) {
        if (deletion.getFeaturesCount() == 0) {
          entityDeletions++;
        } else {
          featureDeletions++;
        }
      }
      if (result.getFramesCount() == 0) {
        continue;
      }
      Frame frame = result.getFrames(0);
      long observedAt = frame.getColumns(0).getObservedAt(0);
      long age = result.getExecutionFinishedAt() - observedAt;
      late += age > HOUR / 60 && age <= HOUR ? 1 : 0;
      old += age > 40 * DAY ? 1 : 0;
      contradictions +=
          observations.add(
                  frame.getNamespace()
                      + frame.getInt64KeysList()
                      + frame.getStringKeysList()
                      + frame.getColumns(0).getFeature()
                      + observedAt)
              ? 0
              : 1;
    }
    assertThat(duplicates).isGreaterThan(50);
    assertThat(contradictions).isGreaterThan(50);
    assertThat(late).isGreaterThan(50);
    assertThat(old).isGreaterThan(20);
    assertThat(featureDeletions).isGreaterThan(20);
    assertThat(entityDeletions).isGreaterThan(10);
  }

  @Test
  public void whatIsCalledBrokenIsRefusedForTheReasonGivenAndTheRestIsNot() {
    ResultDecoder decoder = new ResultDecoder();
    Set<Reason> reasons = EnumSet.noneOf(Reason.class);
    int broken = 0;
    for (SampleMessage message : messages(1, MANY)) {
      broken += message.deadLetter().isPresent() ? 1 : 0;
      message.deadLetter().ifPresent(reasons::add);
      Optional<Reason> refusal = refusal(decoder, message);
      assertWithMessage(message.result().toString())
          .that(refusal)
          .isEqualTo(message.decodable() ? Optional.empty() : message.deadLetter());
    }
    assertThat(broken).isEqualTo(MANY / SampleTraffic.BROKEN_EVERY);
    assertThat(reasons)
        .containsExactly(
            Reason.UNDECODABLE,
            Reason.LENGTH_MISMATCH,
            Reason.UNKNOWN_TYPE,
            Reason.MISSING_FIELD,
            Reason.OBSERVED_IN_FUTURE);
  }

  @Test
  public void nothingExpiresWithinFiveHoursAfterItsPublication() {
    for (QueryResult result : decodable(messages(1, MANY))) {
      for (Frame frame : result.getFramesList()) {
        for (Column column : frame.getColumnsList()) {
          for (long observedAt : column.getObservedAtList()) {
            long staleness = column.getMaxStaleness();
            if (staleness > 0 && staleness < Long.MAX_VALUE) {
              long left = observedAt + staleness - NOW;
              assertThat(left < 0 || left >= 5 * HOUR).isTrue();
            }
          }
        }
      }
    }
  }

  private static List<SampleMessage> messages(long seed, int count) {
    SampleTraffic traffic = new SampleTraffic(seed);
    List<SampleMessage> messages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      messages.add(traffic.next(NOW + 100L * i));
    }
    return messages;
  }

  private static List<QueryResult> decodable(List<SampleMessage> messages) {
    return messages.stream().filter(SampleMessage::decodable).map(SampleMessage::result).toList();
  }

  private static Optional<Reason> refusal(ResultDecoder decoder, SampleMessage message) {
    try {
      decoder.decode(
          BusMessage.of(
              message.payload().toByteArray(),
              Place.numbered("topic", 0, 0),
              MessageTime.ofBus(NOW)));
      return Optional.empty();
    } catch (InvalidMessageException e) {
      return Optional.of(e.reason());
    }
  }
}

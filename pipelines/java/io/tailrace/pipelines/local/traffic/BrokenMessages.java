package io.tailrace.pipelines.local.traffic;

import com.google.protobuf.ByteString;
import io.tailrace.endpoint.Micros;
import io.tailrace.result.MessageKey;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.time.Duration;
import java.util.Optional;

/** Makes messages that must become dead letters, in every way in turn. Not thread-safe. */
final class BrokenMessages {
  private static final long YEAR = Micros.of(Duration.ofDays(365));

  /** Keys above these are of entities of which nothing is ever stored. */
  private static final int NOBODY = 1_000_000;

  /** How a message can be broken. */
  private enum Breakage {
    TRUNCATED,
    WRONG_LENGTHS,
    UNKNOWN_TYPE,
    CLOCK_A_YEAR_AHEAD,
    ONE_FEATURE_A_YEAR_AHEAD,
    NO_OPERATION_ID
  }

  private final SampleFeatures features;
  private int count;

  BrokenMessages(SampleFeatures features) {
    this.features = features;
  }

  /** Breaks a sound result of the query {@code device_seen}, each time in the next way. */
  SampleMessage next(QueryResult sound, long now) {
    Breakage how = Breakage.values()[count % Breakage.values().length];
    int nobody = NOBODY + count++;
    QueryResult.Builder result = sound.toBuilder();
    Frame.Builder frame = result.getFramesBuilder(0);
    if (how != Breakage.ONE_FEATURE_A_YEAR_AHEAD) {
      frame.setStringKeys(0, features.namespace("device").key(nobody));
    }
    return switch (how) {
      case TRUNCATED -> {
        ByteString whole = result.build().toByteString();
        yield refused(result.build(), whole.substring(0, whole.size() - 3), Reason.UNDECODABLE);
      }
      case WRONG_LENGTHS -> {
        frame.getColumnsBuilder(1).addStringValues("of nobody");
        yield refused(result.build(), Reason.LENGTH_MISMATCH);
      }
      case UNKNOWN_TYPE -> {
        frame.getColumnsBuilder(1).setTypeValue(42);
        yield refused(result.build(), Reason.UNKNOWN_TYPE);
      }
      case NO_OPERATION_ID -> refused(result.clearOperationId().build(), Reason.MISSING_FIELD);
      case CLOCK_A_YEAR_AHEAD -> {
        for (Column.Builder column : frame.getColumnsBuilderList()) {
          column.setObservedAt(0, now + YEAR).clearNulls();
        }
        yield partlyRefused(result.build());
      }
      case ONE_FEATURE_A_YEAR_AHEAD -> {
        frame.getColumnsBuilder(0).setObservedAt(0, now + YEAR);
        yield partlyRefused(result.build());
      }
    };
  }

  private static SampleMessage refused(QueryResult result, Reason reason) {
    return refused(result, result.toByteString(), reason);
  }

  private static SampleMessage refused(QueryResult result, ByteString payload, Reason reason) {
    return new SampleMessage(
        key(result), payload, result, Optional.of(reason), false, Optional.empty());
  }

  static ByteString key(QueryResult result) {
    return ByteString.copyFrom(MessageKey.of(result));
  }

  private static SampleMessage partlyRefused(QueryResult result) {
    return new SampleMessage(
        key(result),
        result.toByteString(),
        result,
        Optional.of(Reason.OBSERVED_IN_FUTURE),
        true,
        Optional.empty());
  }
}

package io.tailrace.pipelines.local.traffic;

import com.google.protobuf.ByteString;
import io.tailrace.endpoint.Micros;
import io.tailrace.v1.Column;
import java.time.Duration;
import java.util.List;
import java.util.SplittableRandom;

/** Believable values of sample features, each added to a column. */
final class SampleValues {
  private static final long DAY = Micros.of(Duration.ofDays(1));

  private SampleValues() {}

  static String anyOf(List<String> texts, SplittableRandom random) {
    return texts.get(random.nextInt(texts.size()));
  }

  static void score(Column.Builder column, SplittableRandom random, long nowMicros) {
    // Not every model divides by something that is never zero.
    column.addFloat64Values(random.nextInt(200) == 0 ? Double.NaN : random.nextDouble());
  }

  static void note(Column.Builder column, SplittableRandom random, long nowMicros) {
    column.addStringValues("called " + random.nextInt(1, 9) + " times");
  }

  static void digest(Column.Builder column, SplittableRandom random, long nowMicros) {
    byte[] bytes = new byte[16];
    random.nextBytes(bytes);
    column.addBytesValues(ByteString.copyFrom(bytes));
  }

  static void recently(Column.Builder column, SplittableRandom random, long nowMicros) {
    column.addTimestampValues(nowMicros - random.nextLong(DAY));
  }

  static void vector(Column.Builder column, SplittableRandom random, int dimension) {
    column.setVectorDimension(dimension);
    for (int i = 0; i < dimension; i++) {
      column.addVectorValues((float) (random.nextDouble() * 2 - 1));
    }
  }

  static void recentMerchants(Column.Builder column, SplittableRandom random, long nowMicros) {
    StringBuilder json = new StringBuilder("[");
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      json.append(i == 0 ? "" : ",").append("{\"id\":\"m:");
      json.append(random.nextInt(800)).append("\",\"visits\":").append(random.nextInt(20));
      json.append('}');
    }
    column.addJsonValues(json.append(']').toString());
  }

  static void openingHours(Column.Builder column, SplittableRandom random, long nowMicros) {
    int from = random.nextInt(6, 11);
    String json = "{\"mon-fri\":[" + from + "," + (from + 9) + "],\"sat\":\"9–13\"}";
    column.addJsonValues(json);
  }
}

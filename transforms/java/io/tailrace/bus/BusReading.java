package io.tailrace.bus;

import java.util.Optional;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;
import org.jspecify.annotations.Nullable;

/**
 * With what a bus is read, where there are several ways. A kind of bus that knows one way only
 * passes it over.
 */
public enum BusReading {
  /** With a source that puts out what one poll brought: for runners to which an element is dear. */
  BATCHING("batching"),

  /**
   * With Beam's own source: for runners that know it, and resume, divide and show it themselves.
   */
  KAFKA_IO("kafkaio");

  /** Where it is said. */
  public interface Options extends PipelineOptions {
    @Description(
        "What reads a bus: batching, Tailrace's own source, or kafkaio, Beam's (of Pub/Sub:"
            + " PubsubIO). Default: kafkaio on Dataflow, elsewhere batching.")
    @Nullable String getBusReader();

    void setBusReader(@Nullable String name);
  }

  private final String name;

  BusReading(String name) {
    this.name = name;
  }

  /**
   * Returns what an option names.
   *
   * @throws IllegalArgumentException naming those that there are
   */
  public static BusReading named(String text) {
    for (BusReading each : values()) {
      if (each.name.equals(text)) {
        return each;
      }
    }
    throw new IllegalArgumentException(
        "'" + text + "' reads no bus: say batching or kafkaio, or leave it out");
  }

  /** Returns what a pipeline's options say; {@link #BATCHING} where they say nothing. */
  public static BusReading of(PipelineOptions options) {
    return Optional.ofNullable(options.as(Options.class).getBusReader())
        .map(BusReading::named)
        .orElse(BATCHING);
  }

  @Override
  public String toString() {
    return name;
  }
}

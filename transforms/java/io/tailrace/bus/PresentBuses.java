package io.tailrace.bus;

import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.Hidden;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.util.SerializableUtils;
import org.jspecify.annotations.Nullable;

/**
 * Which buses a job reads by its present options. A runner that restores a job takes its sources
 * out of the checkpoint, and with them the bus of the day when the checkpoint was taken: old
 * brokers, an old place of a password. So a transform that reads a bus {@link #enter}s it into the
 * pipeline's options, which are always the present ones, and its source asks for it there.
 *
 * <p>Stateless and thread-safe.
 */
public final class PresentBuses {
  /** Where they are kept. */
  public interface Options extends PipelineOptions {
    @Hidden
    @Description("The buses that the job reads; set when the pipeline is built.")
    @Nullable Map<String, String> getPresentBuses();

    void setPresentBuses(@Nullable Map<String, String> buses);

    @Description(
        "Read the topic that the options name from where its consumer group is, although the"
            + " restored state is that of another topic, or of an earlier one of the same name:"
            + " once, for a planned move.")
    boolean isAdoptTopic();

    void setAdoptTopic(boolean adopt);

    @Description(
        "Go on where another writer, or one with another store, was in the consumer group or in the"
            + " restored state: once, to take its place for good.")
    boolean isAdoptGroup();

    void setAdoptGroup(boolean adopt);
  }

  private PresentBuses() {}

  /**
   * Notes a bus that a pipeline reads, when the pipeline is built.
   *
   * @param group as whom; a pipeline that reads several topics as one group must apply its reads in
   *     the same order each time
   * @return under which name {@link #of} finds it, to be kept in the source
   */
  public static String enter(PipelineOptions pipeline, String group, Bus bus) {
    Options options = pipeline.as(Options.class);
    Map<String, String> buses = new TreeMap<>();
    if (options.getPresentBuses() != null) {
      buses.putAll(options.getPresentBuses());
    }
    String name = group;
    for (int n = 2; buses.containsKey(name) && !isSameTopic(decode(buses.get(name)), bus); n++) {
      name = group + "#" + n;
    }
    buses.put(name, encode(bus));
    options.setPresentBuses(buses);
    return name;
  }

  /**
   * Returns the bus that a source should read.
   *
   * @param options those that the runner gives with a reader
   * @param name what {@link #enter} returned
   * @param restored the bus that the source has, which may come out of a checkpoint
   * @throws IllegalStateException if the present options name another topic, unless they say that
   *     this is meant
   */
  public static <B extends Bus> B of(PipelineOptions options, String name, B restored) {
    Options present = options.as(Options.class);
    Map<String, String> buses = present.getPresentBuses();
    String text = buses == null ? null : buses.get(name);
    if (text == null) {
      return restored;
    }
    Bus bus = decode(text);
    @SuppressWarnings("unchecked") // The class is compared.
    B same = bus.getClass().equals(restored.getClass()) ? (B) bus : restored;
    if (same != bus || (!isSameTopic(bus, restored) && !present.isAdoptTopic())) {
      throw new IllegalStateException(
          "the state that this job was restored from is that of "
              + restored.name()
              + ", and its options name "
              + bus.name()
              + ": a place in one topic says nothing of another. Restore it with the topic that it"
              + " read, or start it without state"
              + (same == bus
                  ? "; if the topic has moved, --adoptTopic reads the new one from where the"
                      + " consumer group is"
                  : ""));
    }
    return same;
  }

  /** Returns whether a job is told to take the place of another topic for its own. */
  public static boolean adoptsTopic(PipelineOptions options) {
    return options.as(Options.class).isAdoptTopic();
  }

  /** Returns whether a job is told to take the place of another writer or store. */
  public static boolean adoptsGroup(PipelineOptions options) {
    return options.as(Options.class).isAdoptGroup();
  }

  private static boolean isSameTopic(Bus one, Bus other) {
    return one.getClass().equals(other.getClass()) && one.topic().equals(other.topic());
  }

  private static String encode(Bus bus) {
    return Base64.getEncoder().encodeToString(SerializableUtils.serializeToByteArray(bus));
  }

  private static Bus decode(String text) {
    return (Bus)
        SerializableUtils.deserializeFromByteArray(Base64.getDecoder().decode(text), "a bus");
  }
}

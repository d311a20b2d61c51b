package io.tailrace.pipelines;

import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.beam.sdk.options.Description;
import org.apache.beam.sdk.options.PipelineOptions;
import org.jspecify.annotations.Nullable;

/** Options that every writer has, beside those of Beam and of the runner. */
public interface WriterOptions extends PipelineOptions {
  @Shown(under = "Dead letters")
  @Description("The bus for messages that can never be written.")
  @Nullable String getDeadLetterBus();

  void setDeadLetterBus(@Nullable String uri);

  @Shown(under = "Dead letters")
  @Description(
      "A directory for what is too large for the dead-letter bus: gs://bucket/prefix,"
          + " s3://bucket/prefix or, where the writer runs on this machine, a local path. Default:"
          + " none, and a letter says of such a message only where it was.")
  @Nullable String getDeadLetterOverflow();

  void setDeadLetterOverflow(@Nullable String directory);

  @Description("Environments to serve, separated by commas. Default: every one that is named.")
  @Nullable List<String> getEnvironments();

  void setEnvironments(@Nullable List<String> environments);

  @Shown(under = "Taking over")
  @Description(
      "Go on where another writer, or one with another store, was in the consumer group or in the"
          + " restored state: once, to take its place for good.")
  boolean isAdoptGroup();

  void setAdoptGroup(boolean adopt);

  @Shown(under = "Taking over", onlyWith = "busReader=batching")
  @Description(
      "Read the bus from where the consumer group is, although the restored state is that of"
          + " another topic, or of an earlier one of the same name: once, for a planned move.")
  boolean isAdoptTopic();

  void setAdoptTopic(boolean adopt);

  @Shown(under = "Source")
  @Description(
      "What reads a bus: batching, Tailrace's own source, or kafkaio, Beam's (of Pub/Sub:"
          + " PubsubIO). Default: kafkaio on Dataflow, elsewhere batching.")
  @Nullable String getBusReader();

  void setBusReader(@Nullable String name);

  /** Returns the environments to serve; empty: all. */
  static Set<String> environments(WriterOptions options) {
    List<String> given = options.getEnvironments();
    return given == null
        ? Set.of()
        : given.stream()
            .map(String::strip)
            .filter(name -> !name.isEmpty())
            .collect(Collectors.toUnmodifiableSet());
  }
}

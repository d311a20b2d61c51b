package io.tailrace.pipelines;

import com.google.common.base.Throwables;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.beam.sdk.options.PipelineOptions;

/**
 * What a runner says when it refuses a job, in a sentence: it looks at its options last of all, and
 * at buckets, rights and quotas as it goes, and throws what it found with causes below causes.
 * Stateless and thread-safe.
 */
final class RunnerRefusals {
  private static final String OF_DATAFLOW =
      ". Look at --project, --region and --tempLocation, and at whose right it is: `gcloud auth"
          + " application-default login`, or the service account of this machine";

  private RunnerRefusals() {}

  /**
   * Does what a runner may refuse.
   *
   * @throws CommandException with what it says, where that is of the job
   */
  static <T> T toldBy(PipelineOptions options, Supplier<T> work) throws CommandException {
    try {
      return work.get();
    } catch (RuntimeException e) {
      Optional<String> said = said(e);
      boolean isOfDataflow = Workers.areOfDataflow(options.getRunner());
      // Other runners may have run the job, and throw what that has thrown.
      boolean isAtTheStart = isOfDataflow || e instanceof IllegalArgumentException;
      if (said.isEmpty() || !isAtTheStart) {
        throw e;
      }
      throw new CommandException(
          options.getRunner().getSimpleName()
              + " refuses the job: "
              + said.get()
              + (isOfDataflow ? OF_DATAFLOW : ""),
          e);
    }
  }

  /** Returns what is said of options, or of what they name; empty where something is broken. */
  private static Optional<String> said(RuntimeException e) {
    List<String> sentences = new ArrayList<>();
    boolean isOfTheJob = false;
    for (Throwable each : Throwables.getCausalChain(e)) {
      isOfTheJob |= each instanceof IllegalArgumentException || each instanceof IOException;
      String message = String.valueOf(each.getMessage()).strip().replaceAll("\\s*\\n\\s*", " ");
      // A cause's own words are often those of what it caused.
      boolean isNew =
          each.getMessage() != null
              && (each.getCause() == null || !message.equals(each.getCause().toString()))
              && sentences.stream().noneMatch(said -> said.contains(message));
      if (isNew) {
        sentences.add(message.replaceFirst("\\.$", ""));
      }
    }
    return isOfTheJob ? Optional.of(String.join(": ", sentences)) : Optional.empty();
  }
}

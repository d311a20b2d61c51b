package io.tailrace.pipelines.dataflow;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.dataflow.model.Job;
import com.google.api.services.dataflow.model.Step;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.beam.model.pipeline.v1.RunnerApi.PTransform;
import org.apache.beam.model.pipeline.v1.RunnerApi.Pipeline;
import org.apache.beam.sdk.util.StringUtils;
import org.xerial.snappy.SnappyError;
import org.xerial.snappy.SnappyInputStream;

/** A job as Beam would send it to Dataflow, with the pipeline that it stages beside it. */
final class JobFile {
  /** What Beam's serialized objects begin with: they are compressed. */
  private static final String COMPRESSED = "\u0082SNAPPY\0";

  /** A text that may be bytes; decoding one that is none does no harm. */
  private static final Pattern BASE64 =
      Pattern.compile("(?:[A-Za-z0-9+/]{4}){10,}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?");

  /**
   * A step of a job.
   *
   * @param kind what it is, by the service's name or by Beam's
   * @param properties texts
   */
  record JobStep(String name, String kind, Map<String, String> properties) {
    private static JobStep of(Step step) {
      Map<String, String> texts = new HashMap<>();
      step.getProperties()
          .forEach(
              (name, value) -> {
                if (value instanceof Map<?, ?> text) {
                  texts.put(name, Objects.toString(text.get("value")));
                }
              });
      return new JobStep(texts.getOrDefault("user_name", ""), step.getKind(), texts);
    }
  }

  private final Job job;
  private final Path staged;
  private String everything = "";

  private JobFile(Job job, Path staged) {
    this.job = job;
    this.staged = staged;
  }

  /** Reads the file that Beam wrote. */
  static JobFile read(Path file) throws IOException {
    return new JobFile(
        GsonFactory.getDefaultInstance().fromString(Files.readString(file), Job.class),
        Path.of(file + ".staged"));
  }

  Job job() {
    return job;
  }

  /**
   * Returns the job's steps; those of a job that is sent as Beam's own pipeline are the transforms
   * that have no parts.
   */
  List<JobStep> steps() throws Exception {
    if (job.getSteps() != null) {
      return job.getSteps().stream().map(JobStep::of).toList();
    }
    Map<String, PTransform> transforms =
        Pipeline.parseFrom(Files.readAllBytes(staged.resolve("pipeline.pb")))
            .getComponents()
            .getTransformsMap();
    return transforms.values().stream()
        .filter(each -> each.getSubtransformsCount() == 0)
        .map(each -> new JobStep(each.getUniqueName(), each.getSpec().getUrn(), Map.of()))
        .toList();
  }

  /** Returns everything that leaves this machine, each byte a character, nothing compressed. */
  String everything() throws IOException {
    if (everything.isEmpty()) {
      everything = readEverything();
    }
    return everything;
  }

  private String readEverything() throws IOException {
    StringBuilder all = new StringBuilder();
    addAll(job, all);
    try (Stream<Path> files = Files.list(staged)) {
      for (Path file : files.toList()) {
        add(new String(Files.readAllBytes(file), ISO_8859_1), all);
      }
    }
    return all.toString();
  }

  private static void addAll(Object value, StringBuilder all) throws IOException {
    if (value instanceof Map<?, ?> object) {
      for (Map.Entry<?, ?> each : object.entrySet()) {
        all.append(each.getKey()).append('\n');
        addAll(each.getValue(), all);
      }
    } else if (value instanceof List<?> list) {
      for (Object each : list) {
        addAll(each, all);
      }
    } else if (value instanceof String text) {
      add(text.contains("%") ? bytes(text) : text, all);
      if (BASE64.matcher(text).matches()) {
        add(new String(Base64.getDecoder().decode(text), ISO_8859_1), all);
      }
    } else {
      all.append(value).append('\n');
    }
  }

  private static String bytes(String text) {
    try {
      return new String(StringUtils.jsonStringToByteArray(text), ISO_8859_1);
    } catch (IllegalArgumentException e) {
      // A text that has a '%' of its own.
      return text;
    }
  }

  private static void add(String characters, StringBuilder all) throws IOException {
    all.append(characters).append('\n');
    byte[] bytes = null;
    for (int at = characters.indexOf(COMPRESSED);
        at >= 0;
        at = characters.indexOf(COMPRESSED, at + 1)) {
      bytes = bytes == null ? characters.getBytes(ISO_8859_1) : bytes;
      ByteArrayOutputStream plain = new ByteArrayOutputStream();
      try (SnappyInputStream in =
          new SnappyInputStream(new ByteArrayInputStream(bytes, at, bytes.length - at))) {
        in.transferTo(plain);
      } catch (IOException | SnappyError e) {
        // What follows the object is of something else.
      }
      add(plain.toString(ISO_8859_1), all);
    }
  }
}

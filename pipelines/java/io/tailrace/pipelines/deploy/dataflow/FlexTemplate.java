package io.tailrace.pipelines.deploy.dataflow;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.util.DefaultIndenter;
import com.fasterxml.jackson.core.util.DefaultPrettyPrinter;
import com.fasterxml.jackson.core.util.Separators;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.WriterOption;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * A flex template of Dataflow that starts a writer, made of the writer's description and options.
 *
 * <p>Its metadata are what {@code gcloud dataflow flex-template build} takes, and a part of its
 * container specification, which {@code gcloud dataflow flex-template run} reads in a bucket. The
 * formats are {@code TemplateMetadata} and {@code ContainerSpec} of Dataflow's interface.
 * Immutable.
 */
final class FlexTemplate {
  /** The name of the file that gcloud builds a template from. */
  static final String METADATA = "metadata.json";

  /** The name of the file that gcloud runs. */
  static final String CONTAINER_SPEC = "container-spec.json";

  private final Writer<?> writer;

  FlexTemplate(Writer<?> writer) {
    this.writer = writer;
  }

  /**
   * Returns its files, by name.
   *
   * @param image the image that starts the writer
   */
  Map<String, String> files(String image) {
    return new TreeMap<>(
        Map.of(METADATA, text(metadata()), CONTAINER_SPEC, text(containerSpec(image))));
  }

  private ObjectNode metadata() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", name());
    json.put("description", writer.says());
    json.put("streaming", true);
    json.put("supportsExactlyOnce", true);
    // What is written twice is there once, in every store; what is counted twice is not.
    json.put("supportsAtLeastOnce", !writer.isAlone());
    json.put("defaultStreamingMode", writer.isAlone() ? "EXACTLY_ONCE" : "AT_LEAST_ONCE");
    ArrayNode parameters = json.putArray("parameters");
    List<TemplateParameter> all =
        WriterOption.of(writer).stream()
            .map(option -> new TemplateParameter(writer, option))
            .sorted(Comparator.comparing(TemplateParameter::isOptional))
            .toList();
    all.forEach(parameter -> parameters.add(parameter.metadata()));
    return json;
  }

  private ObjectNode containerSpec(String image) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("image", image);
    json.putObject("sdkInfo").put("language", "JAVA");
    json.set("metadata", metadata());
    json.putObject("defaultEnvironment").put("enableStreamingEngine", true);
    return json;
  }

  /** {@code Tailrace online writer}. */
  private String name() {
    return "Tailrace " + writer.name().replace('-', ' ').toLowerCase(Locale.ROOT);
  }

  private static String text(JsonNode json) {
    DefaultIndenter lines = new DefaultIndenter("  ", "\n");
    try {
      return new ObjectMapper()
              .writer(
                  new DefaultPrettyPrinter(
                          Separators.createDefaultInstance()
                              .withObjectFieldValueSpacing(Separators.Spacing.AFTER))
                      .withObjectIndenter(lines)
                      .withArrayIndenter(lines))
              .writeValueAsString(json)
          + "\n";
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}

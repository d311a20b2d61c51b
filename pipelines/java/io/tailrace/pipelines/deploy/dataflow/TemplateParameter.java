package io.tailrace.pipelines.deploy.dataflow;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.pipelines.Shown;
import io.tailrace.pipelines.TextForm;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.WriterOption;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * A parameter of a flex template: an option of its writer, in the words of Dataflow's {@code
 * ParameterMetadata}. Immutable.
 */
final class TemplateParameter {
  private static final String SOURCE = "Source";
  private static final String TARGET = "Target";
  private static final String MORE = "More";

  /** Schemes of what is on the machine that starts a job. */
  private static final Set<String> OF_A_MACHINE = Set.of("file");

  private final Writer<?> writer;
  private final WriterOption option;

  TemplateParameter(Writer<?> writer, WriterOption option) {
    this.writer = writer;
    this.option = option;
  }

  /** Returns whether a job can be started without it. */
  boolean isOptional() {
    return option.kinds().isEmpty();
  }

  /** Returns it as Dataflow reads it. */
  ObjectNode metadata() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("name", option.name());
    json.put("label", label());
    json.put("helpText", helpText());
    json.put("groupName", groupName());
    json.put("isOptional", isOptional());
    json.put("paramType", paramType());
    pattern().ifPresent(it -> json.putArray("regexes").add(it));
    option.fallback().ifPresent(it -> json.put("defaultValue", it));
    if (option.value().isSwitch()) {
      json.put("defaultValue", "false");
    }
    if (!choices().isEmpty()) {
      ArrayNode all = json.putArray("enumOptions");
      choices().forEach(each -> all.addObject().put("value", each));
    }
    String onlyWith = option.shown().map(Shown::onlyWith).orElse("");
    if (!onlyWith.isEmpty()) {
      json.put("parentName", onlyWith.substring(0, onlyWith.indexOf('=')));
      json.putArray("parentTriggerValues").add(onlyWith.substring(onlyWith.indexOf('=') + 1));
    }
    return json;
  }

  /** {@code maxClockSkew} is the maximum of something: words, the first with a capital. */
  private String label() {
    String words = option.name().replaceAll("([A-Z])", " $1").toLowerCase(Locale.ROOT).strip();
    return Character.toUpperCase(words.charAt(0)) + words.substring(1);
  }

  private String helpText() {
    return option.description()
        + option
            .kinds()
            .map(kinds -> taken(kinds).stream().map(TemplateParameter::example))
            // What is on the machine that starts a job is not on Dataflow.
            .map(examples -> examples.map(example -> example.replace("localhost", "host")))
            .map(examples -> " Examples: " + examples.collect(Collectors.joining(", ")))
            .orElse("");
  }

  private String groupName() {
    return option
        .shown()
        .map(Shown::under)
        .orElse(isOptional() ? MORE : option.name().equals(writer.reads()) ? SOURCE : TARGET);
  }

  private String paramType() {
    return option.value().isSwitch() ? "BOOLEAN" : choices().isEmpty() ? "TEXT" : "ENUM";
  }

  private List<String> choices() {
    return option.value().form().map(TextForm::choices).orElse(List.of());
  }

  private Optional<String> pattern() {
    return option
        .kinds()
        .map(
            kinds ->
                taken(kinds).stream()
                    .flatMap(kind -> kind.schemes().stream().filter(it -> isTaken(kind, it)))
                    .map(scheme -> scheme.replace("+", "[+]"))
                    .collect(Collectors.joining("|", "^(", ")://\\S.*$")))
        .or(() -> option.value().form().map(TextForm::pattern));
  }

  /** Returns those that the writer takes, and that several machines can reach. */
  private List<Kind<? extends Endpoint>> taken(Kinds<?> kinds) {
    return kinds.builtIn().stream()
        .<Kind<? extends Endpoint>>map(kind -> kind)
        .filter(kind -> kind.schemes().stream().noneMatch(OF_A_MACHINE::contains))
        .filter(kind -> !kinds.at(example(kind)).isForOneProcess())
        .filter(kind -> kind.schemes().stream().anyMatch(scheme -> isTaken(kind, scheme)))
        .toList();
  }

  /** Tries each of the kind's examples with the scheme: not every scheme takes the same rest. */
  private boolean isTaken(Kind<?> kind, String scheme) {
    return examples(kind).stream()
        .map(example -> scheme + example.substring(example.indexOf("://")))
        .anyMatch(this::isTaken);
  }

  private boolean isTaken(String uri) {
    String argument = "--" + option.name();
    return writer.problems(argument + "=" + uri, "--environments=any").stream()
        .noneMatch(it -> it.startsWith(argument + ":") || it.startsWith(argument + "="));
  }

  private static String example(Kind<?> kind) {
    return examples(kind).get(0);
  }

  /** Returns the URIs that a kind shows, among words. */
  private static List<String> examples(Kind<?> kind) {
    return Pattern.compile(",? ")
        .splitAsStream(kind.example())
        .filter(word -> word.contains("://"))
        .toList();
  }
}

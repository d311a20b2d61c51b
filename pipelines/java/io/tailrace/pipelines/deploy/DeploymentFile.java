package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.deploy.Deployment.Account;
import io.tailrace.pipelines.deploy.Deployment.Shared;
import io.tailrace.pipelines.deploy.Deployment.State;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Finds out which writers a file wants to run in a cluster: one of our own, in YAML or JSON, or the
 * JSON of a background-persistence deployment. Everything that is wrong with it is said at once.
 * Stateless and thread-safe.
 */
final class DeploymentFile {
  /** YAML, of which JSON is a part. A key that comes twice would hide the first. */
  private static final ObjectMapper YAML =
      new ObjectMapper(new YAMLFactory())
          .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** What a name in a cluster may be. */
  static final Pattern NAME = Pattern.compile("[a-z]([a-z0-9-]*[a-z0-9])?");

  /** The longest name that Kubernetes takes. */
  private static final int LONGEST_NAME = 63;

  private static final Pattern BUCKET = Pattern.compile("(s3|gs)://[^/]+(/.*)?");
  private static final Pattern VOLUME = Pattern.compile("file:///.+");

  private DeploymentFile() {}

  /**
   * What holds for all writers of a file and is said beside it.
   *
   * @param with the text of a file without writers, whose keys come before those of the other
   * @param kafkaUser who logs in to Kafka, where the JSON of another system does not say it
   */
  record Beside(Optional<String> with, Optional<String> kafkaUser) {
    static final Beside NOTHING = new Beside(Optional.empty(), Optional.empty());
  }

  /**
   * Takes a file's text.
   *
   * @throws CommandException listing everything that is wrong with it, a line each
   */
  static Deployment parse(String text, Beside beside) throws CommandException {
    JsonNode file = read(text);
    JsonNode with = beside.with().isPresent() ? read(beside.with().get()) : Tree.nothing();
    Problems problems = new Problems();
    Section all = Section.of(file, problems);
    if (!with.isObject() || with.has("writers")) {
      problems.add("--with", "must hold an object without writers, which the other file lists");
    }
    finish(problems.all());
    if (!BackgroundPersistence.isOne(all)) {
      Deployment deployment = parse(Section.of(merged(file, with), problems), problems);
      finish(problems.all());
      return deployment;
    }
    BackgroundPersistence.Translation translation =
        BackgroundPersistence.translate(Section.of(file, problems), beside.kafkaUser());
    finish(problems.all());
    Problems translated = new Problems();
    Deployment deployment =
        parse(Section.of(merged(translation.file(), with), translated), translated);
    finish(translated.all().stream().map(translation::inJson).toList());
    List<String> notes = new ArrayList<>(translation.notes());
    notes.addAll(deployment.notes());
    return new Deployment(deployment.shared(), deployment.writers(), notes);
  }

  private static JsonNode read(String text) throws CommandException {
    try {
      return YAML.readTree(text);
    } catch (JsonProcessingException e) {
      throw new CommandException(
          "the file is neither YAML nor JSON: "
              + e.getOriginalMessage().lines().findFirst().orElse("")
              + (e.getLocation() == null ? "" : " (line " + e.getLocation().getLineNr() + ")"),
          e);
    }
  }

  private static void finish(List<String> problems) throws CommandException {
    if (!problems.isEmpty()) {
      throw new CommandException(String.join(System.lineSeparator(), problems));
    }
  }

  /** Returns an object with the keys of both; where both are no objects, those of the second. */
  private static JsonNode merged(JsonNode file, JsonNode with) {
    if (!file.isObject() || !with.isObject()) {
      return with;
    }
    ObjectNode merged = file.deepCopy();
    with.fields()
        .forEachRemaining(
            field -> {
              JsonNode before = merged.get(field.getKey());
              merged.set(
                  field.getKey(),
                  before == null ? field.getValue() : merged(before, field.getValue()));
            });
    return merged;
  }

  private static Deployment parse(Section file, Problems problems) {
    Shared shared = shared(file);
    WriterSections.Common common =
        new WriterSections.Common(
            file.text("image"),
            WriterSections.Sizes.of(file),
            file.texts("options"),
            file.texts("environment"),
            file.flag("suspended").orElse(false));
    List<Section> writers = file.sections("writers");
    if (writers.isEmpty()) {
      file.problem("writers", "is missing: list one writer at least, such as online-writer");
    }
    file.finish();
    List<String> notes = new ArrayList<>();
    List<WriterDeployment> parsed =
        new WriterSections(shared, common, problems, notes).parse(writers);
    return new Deployment(shared, parsed, notes);
  }

  private static Shared shared(Section file) {
    String namespace = name(file, "namespace").orElse(Deployment.NAMESPACE);
    Section account = file.sectionOrEmpty("serviceAccount");
    String accountName = name(account, "name").orElse("tailrace");
    Map<String, String> annotations = account.texts("annotations");
    account.finish();
    Optional<String> directory = file.text("state");
    Optional<String> claim = name(file, "stateClaim");
    Optional<Quantity> size = file.parsed("stateSize", Quantity::bytes);
    if (size.isPresent() && claim.isEmpty()) {
      file.problem("stateSize", "is that of a claim to be made: name it, too, as stateClaim");
    }
    if (directory.isEmpty() && !file.has("state")) {
      file.problem(
          "state",
          "is missing: say where checkpoints and savepoints are, such as s3://bucket/tailrace,"
              + " gs://bucket/tailrace or, on a volume, file:///state with stateClaim");
    }
    directory.ifPresent(it -> checkState(file, it, claim));
    return new Shared(
        namespace,
        new Account(accountName, annotations),
        new State(directory.orElse("").replaceFirst("/+$", ""), claim, size),
        name(file, "secret"),
        name(file, "triggerAuthentication"));
  }

  private static void checkState(Section file, String directory, Optional<String> claim) {
    boolean isVolume = VOLUME.matcher(directory).matches();
    if (!isVolume && !BUCKET.matcher(directory).matches()) {
      file.problem(
          "state",
          "'"
              + directory
              + "' is no place that all pods can reach: write s3://bucket/prefix,"
              + " gs://bucket/prefix or, on a volume, file:///state with stateClaim");
    } else if (isVolume && claim.isEmpty()) {
      file.problem(
          "stateClaim",
          "is missing: a directory must be a volume that all pods share; name its"
              + " PersistentVolumeClaim");
    } else if (!isVolume && claim.isPresent()) {
      file.problem("stateClaim", "is for a state of file:///…, and this one is a bucket");
    }
  }

  /** Takes a name that Kubernetes allows. */
  static Optional<String> name(Section section, String key) {
    return section
        .text(key)
        .filter(
            name -> {
              boolean isRight = NAME.matcher(name).matches() && name.length() <= LONGEST_NAME;
              if (!isRight) {
                section.problem(
                    key,
                    "'"
                        + name
                        + "' is no name in Kubernetes: small letters, digits and '-', at most "
                        + LONGEST_NAME);
              }
              return isRight;
            });
  }
}

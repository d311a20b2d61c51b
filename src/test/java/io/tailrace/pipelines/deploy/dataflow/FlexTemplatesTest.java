package io.tailrace.pipelines.deploy.dataflow;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assume.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import com.google.api.client.json.GenericJson;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.dataflow.model.ContainerSpec;
import com.google.api.services.dataflow.model.ParameterMetadata;
import com.google.api.services.dataflow.model.ParameterMetadataEnumOption;
import com.google.api.services.dataflow.model.TemplateMetadata;
import io.tailrace.pipelines.MetricsWriter;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.WriterOption;
import io.tailrace.pipelines.Writers;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;

/** The flex templates under {@code templates/dataflow}, which are made of the writers' options. */
@RunWith(JUnit4.class)
public class FlexTemplatesTest {
  private static final Path TEMPLATES = Path.of("templates", "dataflow");

  /** What Dataflow's console knows how to ask for, as far as it is used here. */
  private static final Set<String> TYPES = Set.of("TEXT", "ENUM", "BOOLEAN");

  @ClassRule public static final TemporaryFolder FOLDER = new TemporaryFolder();

  private static TemplateMetadata metadata(Writer<?> writer) throws IOException {
    return read(writer, FlexTemplate.METADATA, TemplateMetadata.class);
  }

  private static <T> T read(Writer<?> writer, String name, Class<T> type) throws IOException {
    return GsonFactory.getDefaultInstance()
        .fromString(Files.readString(TEMPLATES.resolve(writer.name()).resolve(name)), type);
  }

  /** Fails where Dataflow's own classes know nothing of a key. */
  private static void assertKnown(Object json) {
    if (json instanceof GenericJson object) {
      assertThat(object.getUnknownKeys()).isEmpty();
      object.values().forEach(FlexTemplatesTest::assertKnown);
    } else if (json instanceof Collection<?> all) {
      all.forEach(FlexTemplatesTest::assertKnown);
    }
  }

  @Test
  public void whatIsThereIsWhatTheOptionsSay() throws Exception {
    Path made = FOLDER.newFolder().toPath();
    int exit = new CommandLine(new FlexTemplateCommand()).execute("--output=" + made);

    assertThat(exit).isEqualTo(0);
    Set<String> names = names(made);
    for (String name : names) {
      assertWithMessage("%s; run: deploy flex-template --output=templates/dataflow", name)
          .that(
              Files.exists(TEMPLATES.resolve(name))
                  ? Files.readString(TEMPLATES.resolve(name))
                  : "")
          .isEqualTo(Files.readString(made.resolve(name)));
    }
    Set<String> byHand = new HashSet<>(names(TEMPLATES));
    byHand.removeAll(names);
    assertWithMessage("made of no writer")
        .that(byHand)
        .containsExactly("Dockerfile", "gcloudignore");
  }

  private static Set<String> names(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      return files
          .filter(Files::isRegularFile)
          .map(file -> directory.relativize(file).toString())
          .collect(Collectors.toSet());
    }
  }

  @Test
  public void dataflowsOwnClassesKnowEveryKey() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      ContainerSpec spec = read(writer, FlexTemplate.CONTAINER_SPEC, ContainerSpec.class);

      assertKnown(metadata(writer));
      assertKnown(spec);
      assertThat(spec.getMetadata()).isEqualTo(metadata(writer));
      assertThat(spec.getSdkInfo().getLanguage()).isEqualTo("JAVA");
      assertThat(spec.getImage()).endsWith("/tailrace/" + writer.name() + ":latest");
      assertThat(spec.getDefaultEnvironment().getEnableStreamingEngine()).isTrue();
    }
  }

  @Test
  public void onlyWhatCountsMustBeGivenEachMessageOnce() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      TemplateMetadata metadata = metadata(writer);
      boolean counts = writer == MetricsWriter.WRITER;

      assertThat(metadata.getStreaming()).isTrue();
      assertThat(metadata.getSupportsExactlyOnce()).isTrue();
      assertWithMessage("%s", writer).that(metadata.getSupportsAtLeastOnce()).isEqualTo(!counts);
      assertWithMessage("%s", writer)
          .that(metadata.getDefaultStreamingMode())
          .isEqualTo(counts ? "EXACTLY_ONCE" : "AT_LEAST_ONCE");
    }
  }

  @Test
  public void everyOptionIsAParameterAndNothingElse() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      List<ParameterMetadata> parameters = metadata(writer).getParameters();

      assertThat(parameters.stream().map(ParameterMetadata::getName).toList())
          .containsExactlyElementsIn(
              WriterOption.of(writer).stream().map(WriterOption::name).toList());
      for (ParameterMetadata each : parameters) {
        assertWithMessage("%s %s", writer, each.getName())
            .that(!Boolean.TRUE.equals(each.getIsOptional()))
            .isEqualTo(writer.endpoints().containsKey(each.getName()));
        assertThat(TYPES).contains(each.getParamType());
        assertThat(each.getLabel()).isNotEmpty();
        assertThat(each.getHelpText()).isNotEmpty();
        assertThat(each.getGroupName()).isNotEmpty();
      }
    }
  }

  @Test
  public void everyPatternTakesTheDefaultAndTheExamplesAndRefusesWhatIsWrong() throws Exception {
    int patterns = 0;
    for (Writer<?> writer : Writers.ALL) {
      for (ParameterMetadata each : metadata(writer).getParameters()) {
        String what = writer + " " + each.getName();
        if (each.getRegexes() == null) {
          continue;
        }
        for (String regex : each.getRegexes()) {
          patterns++;
          if (each.getDefaultValue() != null) {
            assertWithMessage(what).that(matches(regex, each.getDefaultValue())).isTrue();
          }
          for (String example : examples(each.getHelpText())) {
            assertWithMessage("%s: %s", what, example).that(matches(regex, example)).isTrue();
          }
          for (String bad : List.of("", "?nonsense", "soon", "-", "duckdb:///a.db", "1 hour")) {
            assertWithMessage("%s: %s", what, bad).that(matches(regex, bad)).isFalse();
            if (!bad.isEmpty() && !bad.startsWith("duckdb")) {
              assertWithMessage("%s: %s", what, bad).that(isTaken(writer, each, bad)).isFalse();
            }
          }
        }
      }
    }
    assertThat(patterns).isAtLeast(20);
  }

  /** Asks each of the engines that may read a pattern. */
  private static boolean matches(String regex, String text) {
    boolean matches = Pattern.compile(regex).matcher(text).find();
    assertWithMessage("%s of %s, in RE2", regex, text)
        .that(com.google.re2j.Pattern.compile(regex).matcher(text).find())
        .isEqualTo(matches);
    return matches;
  }

  private static List<String> examples(String helpText) {
    int at = helpText.indexOf(" Examples: ");
    return at < 0
        ? List.of()
        : List.of(helpText.substring(at + " Examples: ".length()).split(", "));
  }

  private static boolean isTaken(Writer<?> writer, ParameterMetadata parameter, String text) {
    String argument = "--" + parameter.getName();
    return writer.problems(argument + "=" + text).stream()
        .noneMatch(it -> it.startsWith(argument + ":") || it.startsWith(argument + "="));
  }

  @Test
  public void everyChoiceIsTakenAndAParentHasTheChoiceThatShowsItsChild() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      Map<String, ParameterMetadata> parameters =
          metadata(writer).getParameters().stream()
              .collect(Collectors.toMap(ParameterMetadata::getName, each -> each));
      for (ParameterMetadata each : parameters.values()) {
        for (String choice : choices(each)) {
          assertThat(isTaken(writer, each, choice)).isTrue();
          assertThat(matches(each.getRegexes().get(0), choice)).isTrue();
        }
        if (each.getParentName() != null) {
          assertThat(choices(parameters.get(each.getParentName())))
              .containsAtLeastElementsIn(each.getParentTriggerValues());
        }
      }
      assertThat(choices(parameters.get("busReader"))).containsExactly("batching", "kafkaio");
      assertThat(parameters.get("adoptTopic").getParentName()).isEqualTo("busReader");
    }
  }

  private static List<String> choices(ParameterMetadata parameter) {
    return Optional.ofNullable(parameter.getEnumOptions()).orElse(List.of()).stream()
        .map(ParameterMetadataEnumOption::getValue)
        .toList();
  }

  @Test
  public void noStoreIsOfferedThatTheWriterDoesNotWriteTo() throws Exception {
    assertThat(pattern("streaming-insert-writer", "offlineStore")).doesNotContain("bigquery");
    assertThat(pattern("streaming-insert-writer", "offlineStore")).contains("postgresql");
    assertThat(pattern("bigquery-streaming-writer", "offlineStore"))
        .isEqualTo("^(bigquery)://\\S.*$");
    for (String store : List.of("offlineStore", "metricsStore")) {
      for (Writer<?> writer : Writers.ALL) {
        if (writer.takes(store)) {
          assertThat(pattern(writer.name(), store)).doesNotContain("duckdb");
        }
      }
    }
  }

  private static String pattern(String writer, String parameter) throws IOException {
    Writer<?> of =
        Writers.ALL.stream().filter(it -> it.name().equals(writer)).findFirst().orElseThrow();
    return metadata(of).getParameters().stream()
        .filter(each -> each.getName().equals(parameter))
        .findFirst()
        .orElseThrow()
        .getRegexes()
        .get(0);
  }

  @Test
  public void gcloudBuildsTemplatesOfTheMetadata() throws Exception {
    Map<Writer<?>, Process> builds = new HashMap<>();
    for (Writer<?> writer : Writers.ALL) {
      builds.put(
          writer,
          gcloud(
              "dataflow",
              "flex-template",
              "build",
              "gs://my-bucket/templates/" + writer.name() + ".json",
              "--image=europe-west1-docker.pkg.dev/my-project/tailrace/" + writer.name(),
              "--sdk-language=JAVA",
              "--metadata-file=" + TEMPLATES.resolve(writer.name()).resolve("metadata.json"),
              "--print-only",
              "--project=my-project"));
    }
    for (Map.Entry<Writer<?>, Process> each : builds.entrySet()) {
      String printed = printed(each.getValue());
      TemplateMetadata built =
          GsonFactory.getDefaultInstance()
              .fromString(
                  printed.substring(printed.indexOf('{'), printed.lastIndexOf('}') + 1),
                  ContainerSpec.class)
              .getMetadata();

      assertThat(built.getName()).isEqualTo(metadata(each.getKey()).getName());
      assertThat(built.getDescription()).isEqualTo(metadata(each.getKey()).getDescription());
      assertWithMessage("%s", each.getKey())
          .that(built.getParameters())
          .isEqualTo(metadata(each.getKey()).getParameters());
    }
  }

  @Test
  public void onlyTheJarAndTheTemplatesAreUploadedForABuild() throws Exception {
    Path project = FOLDER.newFolder().toPath();
    for (String file :
        List.of(
            "pom.xml",
            "target/tailrace-bundled.jar",
            "target/tailrace.jar",
            "target/classes/A.class",
            "templates/dataflow/Dockerfile",
            "templates/grafana/writers.json",
            "transforms/java/A.java")) {
      Files.createDirectories(project.resolve(file).getParent());
      Files.writeString(project.resolve(file), "");
    }
    Files.copy(TEMPLATES.resolve("gcloudignore"), project.resolve(".gcloudignore"));

    assertThat(
            printed(gcloud("meta", "list-files-for-upload", project.toString())).lines().toList())
        .containsExactly("target/tailrace-bundled.jar", "templates/dataflow/Dockerfile");
  }

  @Test
  public void everyWriterHasItsImage() throws Exception {
    JsonNode build = new YAMLMapper().readTree(TEMPLATES.resolve("cloudbuild.yaml").toFile());
    Map<String, JsonNode> steps = new HashMap<>();
    build.get("steps").forEach(step -> steps.put(step.get("id").textValue(), step));
    String dockerfile = Files.readString(TEMPLATES.resolve("Dockerfile"));

    for (Writer<?> writer : Writers.ALL) {
      String command = steps.get(writer.name()).get("args").get(1).textValue();
      Matcher program = Pattern.compile("--build-arg=MAIN_CLASS=(\\S+) ").matcher(command);
      assertThat(program.find()).isTrue();
      assertThat(Class.forName(program.group(1)).getMethod("main", String[].class)).isNotNull();
      assertThat(program.group(1).replaceFirst(".*\\.", "").toLowerCase(Locale.ROOT))
          .isEqualTo(writer.name().replace("-", ""));
      assertThat(command).contains("docker push ${_REPOSITORY}/" + writer.name() + ":${_TAG}");
      assertThat(command).contains("--file=templates/dataflow/Dockerfile ");
    }
    assertThat(steps).hasSize(Writers.ALL.size() + 2);
    assertThat(dockerfile)
        .contains("ARG MAIN_CLASS\nENV FLEX_TEMPLATE_JAVA_MAIN_CLASS=${MAIN_CLASS}\n");
    assertThat(dockerfile).contains("COPY target/tailrace-bundled.jar /template/tailrace.jar\n");
    assertThat(dockerfile).contains("ENV FLEX_TEMPLATE_JAVA_CLASSPATH=/template/tailrace.jar\n");
  }

  @Test
  public void theCommandsOfThePageStartAWriter() throws Exception {
    String page = Files.readString(Path.of("templates", "README.md"));
    Matcher run =
        Pattern.compile("flex-template run ([a-z-]+) (?s:.*?)--parameters='\\^~\\^([^']+)'")
            .matcher(page);
    assertThat(run.find()).isTrue();
    Writer<?> writer =
        Writers.ALL.stream()
            .filter(each -> each.name().equals(run.group(1)))
            .findFirst()
            .orElseThrow();
    Map<String, String> given =
        Pattern.compile("~")
            .splitAsStream(run.group(2))
            .collect(
                Collectors.toMap(
                    each -> each.substring(0, each.indexOf('=')),
                    each -> each.substring(each.indexOf('=') + 1)));

    for (ParameterMetadata each : metadata(writer).getParameters()) {
      if (!Boolean.TRUE.equals(each.getIsOptional())) {
        assertThat(given).containsKey(each.getName());
        assertThat(matches(each.getRegexes().get(0), given.get(each.getName()))).isTrue();
      }
    }
    assertThat(
            writer.problems(
                given.entrySet().stream()
                    .map(each -> "--" + each.getKey() + "=" + each.getValue())
                    .toArray(String[]::new)))
        .isEmpty();
    for (String file : List.of("cloudbuild.yaml", "gcloudignore")) {
      assertThat(page).contains("=templates/dataflow/" + file + " ");
    }
    // What Google asks of the account of launchers and workers.
    Matcher roles = Pattern.compile("for role in ([^;]+);").matcher(page);
    assertThat(roles.find()).isTrue();
    assertThat(List.of(roles.group(1).split(" ", -1)))
        .containsAtLeast("dataflow.worker", "viewer", "storage.objectAdmin");
    String project = Files.readString(Path.of("pom.xml"));
    assertThat(page).contains("mvn -q package -Pdataflow-runner,bundle -DskipTests");
    assertThat(project).contains("<id>dataflow-runner</id>");
    assertThat(project).contains("${project.build.directory}/tailrace-bundled.jar</outputFile>");
  }

  /** Starts gcloud, which asks nobody; a machine without it does not see what it says. */
  private static Process gcloud(String... words) throws IOException {
    Optional<Path> program = gcloud();
    assumeTrue("gcloud is not on this machine", program.isPresent());
    List<String> command = new ArrayList<>();
    command.add(program.get().toString());
    command.addAll(List.of(words));
    ProcessBuilder builder = new ProcessBuilder(command).redirectError(FOLDER.newFile());
    builder.environment().put("CLOUDSDK_CONFIG", FOLDER.newFolder().toString());
    builder.environment().put("CLOUDSDK_CORE_DISABLE_PROMPTS", "1");
    return builder.start();
  }

  private static String printed(Process process) throws IOException, InterruptedException {
    String printed = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertWithMessage(printed).that(process.waitFor()).isEqualTo(0);
    return printed;
  }

  private static Optional<Path> gcloud() {
    return Stream.of(System.getenv("PATH").split(File.pathSeparator, -1))
        .map(directory -> Path.of(directory, "gcloud"))
        .filter(Files::isExecutable)
        .findFirst();
  }
}

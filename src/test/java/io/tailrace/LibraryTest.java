package io.tailrace;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.testing.LibraryClassPath;
import java.io.File;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/**
 * What somebody gets who depends on the library to use a transform: no broker, no embedded
 * database, no runner and no command line; and that it works with what is there.
 */
public class LibraryTest {
  private static final String RUNNER = "org.apache.beam:beam-runners-direct-java";
  private static final String DUCKDB = "org.duckdb:duckdb_jdbc";

  private static final Pattern CODE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final Pattern PROGRAM = Pattern.compile("public final class (\\w+)");

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();

  private static LibraryClassPath library;

  @BeforeClass
  public static void compileAProgramThatUsesTheLibrary() throws Exception {
    library = LibraryClassPath.read();
    compile("src/test/library/UsesTheLibrary.java");
  }

  private static void compile(String file) throws IOException {
    assertWithMessage(file)
        .that(
            ToolProvider.getSystemJavaCompiler()
                .run(
                    null,
                    null,
                    null,
                    "-proc:none",
                    "-nowarn",
                    "-cp",
                    library.files(RUNNER),
                    "-d",
                    folder.getRoot().toString(),
                    file))
        .isEqualTo(0);
  }

  @Test
  public void whatIsNotOptionalIsWhatTheTransformsUse() {
    assertThat(library.direct())
        .containsExactly(
            "com.fasterxml.jackson.core:jackson-core",
            "com.google.guava:guava",
            "com.google.protobuf:protobuf-java",
            "com.google.protobuf:protobuf-java-util",
            "joda-time:joda-time",
            "org.apache.beam:beam-sdks-java-core",
            "org.apache.beam:beam-sdks-java-io-kafka",
            "org.apache.datasketches:datasketches-java",
            "org.apache.hadoop:hadoop-client-api",
            "org.apache.hadoop:hadoop-client-runtime",
            "org.apache.kafka:kafka-clients",
            "org.apache.parquet:parquet-hadoop",
            "org.jspecify:jspecify",
            "org.postgresql:postgresql",
            "org.slf4j:slf4j-api",
            "redis.clients:jedis");
  }

  @Test
  public void nothingBringsAServerARunnerACommandLineOrALogger() {
    List<String> unwanted =
        List.of(
            "org\\.apache\\.flink:.*",
            "org\\.apache\\.beam:beam-runners-(direct|flink|google).*",
            "org\\.apache\\.beam:beam-sdks-java-io-(redis|parquet|jdbc)",
            "org\\.apache\\.kafka:kafka(_.*|-server.*|-metadata|-storage.*|-raft)",
            "org\\.scala-lang:.*",
            "org\\.duckdb:.*",
            "io\\.zonky\\..*",
            ".*:embedded-.*",
            "info\\.picocli:.*",
            "org\\.jline:.*",
            "com\\.github\\.freva:.*",
            "ch\\.qos\\.logback:.*",
            "org\\.slf4j:(?!slf4j-api).*",
            "org\\.apache\\.logging\\.log4j:.*",
            "log4j:.*",
            "ch\\.qos\\.reload4j:.*");

    assertThat(
            library.all().stream()
                .filter(artifact -> unwanted.stream().anyMatch(artifact::matches))
                .toList())
        .isEmpty();
    // The same question finds them where they are.
    assertThat(library.all(RUNNER, "org.apache.kafka:kafka_2.13"))
        .containsAtLeast(RUNNER, "org.scala-lang:scala-library");
  }

  @Test
  public void theProgramsInTheDocsCompile() throws Exception {
    String imports = "";
    int programs = 0;
    for (String page : List.of("docs/library.md", "README.md")) {
      Matcher block = CODE.matcher(Files.readString(Path.of(page)));
      while (block.find()) {
        String code = block.group(1);
        Matcher name = PROGRAM.matcher(code);
        String named = name.find() ? name.group(1) : "";
        if (named.isEmpty()) {
          named = "Lines";
          // Some lines of a program like the first one.
          code = imports + "class Lines { void run(Pipeline pipeline) {\n" + code + "}}";
        } else if (imports.isEmpty()) {
          imports = code.substring(0, code.indexOf("public final class"));
        }
        Path file = folder.newFolder().toPath().resolve(named + ".java");
        Files.writeString(file, code);
        compile(file.toString());
        programs++;
      }
    }
    assertThat(programs).isEqualTo(3);
  }

  @Test
  public void theStagesOfAPipelineRun() throws Exception {
    assertThat(run(library.files(RUNNER), "pipeline"))
        .containsAtLeast("a file", "DecodeResults UNDECODABLE");
  }

  @Test
  public void theStoresAndBusesWhoseClientsAreThereAreAskedThemselves() throws Exception {
    String path = library.files(RUNNER);

    for (String line : run(path, "postgresql", "postgresql://127.0.0.1:1/db?retryFor=1s")) {
      assertThat(line).contains("127.0.0.1:1/db");
      assertThat(line).contains("Connection to 127.0.0.1:1 refused");
    }
    assertThat(String.join("\n", run(path, "redis", "redis://127.0.0.1:1/0?retryFor=1s")))
        .contains("can't be reached");
    assertThat(String.join("\n", run(path, "kafka", "kafka://127.0.0.1:1/topic")))
        .contains("can't be reached");
  }

  @Test
  public void aStoreWhoseDriverIsMissingSaysWhichDependencyToAdd() throws Exception {
    for (String kind : List.of("offline", "metrics")) {
      String uri = "duckdb://" + folder.getRoot() + "/" + kind + ".db";

      assertWithMessage("without the driver")
          .that(run(library.files(RUNNER), kind, uri))
          .containsExactly("'" + uri + "' needs " + DUCKDB + " on the class path: add it");
      assertWithMessage("with the driver")
          .that(run(library.files(RUNNER, DUCKDB), kind, uri))
          .containsExactly("done");
    }
  }

  @Test
  public void aBusWhoseDriverIsMissingSaysWhichDependencyToAdd() throws Exception {
    String uri = "pubsub://my-project/result-bus";

    assertThat(run(library.files(RUNNER), "kafka", uri))
        .containsExactly(
            "'"
                + uri
                + "' needs org.apache.beam:beam-sdks-java-io-google-cloud-platform on the class"
                + " path: add it");
  }

  /** Runs the program in a JVM of its own and returns what it prints. */
  private static List<String> run(String classPath, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
        .filter(argument -> argument.startsWith("--add-opens"))
        .forEach(command::add);
    command.addAll(List.of("-Xmx256m", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", folder.getRoot() + File.pathSeparator + classPath));
    command.add("UsesTheLibrary");
    command.addAll(List.of(arguments));
    File log = folder.newFile();
    Process process = new ProcessBuilder(command).redirectError(log).start();
    String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertWithMessage(Files.readString(log.toPath())).that(process.waitFor()).isEqualTo(0);
    return printed.lines().toList();
  }
}

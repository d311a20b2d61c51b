package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.util.Objects.requireNonNull;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusReading;
import io.tailrace.endpoint.Endpoint;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import java.lang.reflect.RecordComponent;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Holds the options of every writer of the list to the same rules. */
@RunWith(JUnit4.class)
public class WriterOptionsTest {
  /** Options whose every text is right, and switches, which are looked at before all others. */
  private static final Set<String> NEVER_WRONG =
      Set.of("environments", "deadLetterOverflow", "adoptGroup", "adoptTopic");

  /** An option's text that is not its default, and what it means. */
  private record Explicit(String text, Object meaning) {
    static Explicit uri(String uri) {
      return new Explicit(uri, uri);
    }
  }

  private static final Map<String, Explicit> EXPLICIT =
      Map.ofEntries(
          Map.entry("resultBus", Explicit.uri("kafka://127.0.0.1:1/results")),
          Map.entry("deadLetterBus", Explicit.uri("kafka://127.0.0.1:1/letters")),
          Map.entry("streamingInsertBus", Explicit.uri("kafka://127.0.0.1:1/files")),
          Map.entry("bulkUploadBus", Explicit.uri("kafka://127.0.0.1:1/uploads")),
          Map.entry("uploadBucket", Explicit.uri("file:///nowhere/results")),
          Map.entry("metricsBus", Explicit.uri("kafka://127.0.0.1:1/metrics")),
          Map.entry("onlineStore", Explicit.uri("redis://127.0.0.1:1/3")),
          Map.entry("offlineStore", Explicit.uri("duckdb:///nowhere/a.db?schema={environment}")),
          Map.entry("metricsStore", Explicit.uri("duckdb:///nowhere/m.db")),
          Map.entry("deadLetterOverflow", new Explicit("/overflow", "/overflow")),
          Map.entry("adoptGroup", new Explicit("true", true)),
          Map.entry("adoptTopic", new Explicit("true", true)),
          Map.entry("busReader", new Explicit("kafkaio", BusReading.KAFKA_IO)),
          Map.entry("environments", new Explicit("prod, staging", Set.of("prod", "staging"))),
          Map.entry("maxClockSkew", new Explicit("7m", Duration.ofMinutes(7))),
          Map.entry("deletionRetention", new Explicit("30d", Duration.ofDays(30))),
          Map.entry("gathering", new Explicit("2s", Duration.ofSeconds(2))),
          Map.entry("maxSeries", new Explicit("500", 500)),
          Map.entry("allowedLateness", new Explicit("0s", Duration.ZERO)),
          Map.entry("updateInterval", new Explicit("1m", Duration.ofMinutes(1))),
          Map.entry("deduplicate", new Explicit("10m", Optional.of(Duration.ofMinutes(10)))));

  private static final Map<String, Object> DEFAULTS =
      Map.of(
          "busReader", BusReading.BATCHING,
          "maxClockSkew", Duration.ofMinutes(5),
          "deletionRetention", Duration.ofDays(14),
          "gathering", Duration.ZERO,
          "maxSeries", 10_000,
          "allowedLateness", Duration.ofMinutes(10),
          "updateInterval", Duration.ofSeconds(5),
          "deduplicate", Optional.empty());

  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void aStoreOfOneEnvironmentWantsItsName() {
    CommandException e =
        assertThrows(
            CommandException.class,
            () ->
                OfflineWriter.WRITER.start(
                    "--resultBus=kafka://127.0.0.1:1/results",
                    "--streamingInsertBus=kafka://127.0.0.1:1/files",
                    "--offlineStore=duckdb://" + folder.getRoot() + "/a.db",
                    "--deadLetterBus=kafka://127.0.0.1:1/letters"));

    assertThat(e).hasMessageThat().contains("name it with --environments=NAME");
  }

  @Test
  public void whatIsLeftOutHasItsDefault() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      Map<String, Object> meant = meaning(writer, explicit(writer, writer.endpoints().keySet()));

      for (String option : optionsOf(writer)) {
        if (!writer.endpoints().containsKey(option) && !NEVER_WRONG.contains(option)) {
          assertWithMessage("%s --%s", writer, option)
              .that(requireNonNull(meant.get(option), option))
              .isEqualTo(requireNonNull(DEFAULTS.get(option), option));
        }
      }
      assertWithMessage("%s", writer).that(meant).containsEntry("environments", Set.of());
    }
  }

  @Test
  public void whatIsGivenIsWhatIsMeant() throws Exception {
    for (Writer<?> writer : Writers.ALL) {
      Map<String, Object> meant = meaning(writer, explicit(writer, optionsOf(writer)));

      for (String option : optionsOf(writer)) {
        // These are for all writers, which have no name for them of their own.
        if (!Set.of(
                writer.reads(), "deadLetterBus", "deadLetterOverflow", "adoptGroup", "adoptTopic")
            .contains(option)) {
          assertWithMessage("%s --%s", writer, option)
              .that(requireNonNull(meant.get(option), option))
              .isEqualTo(explicit(writer, option).meaning());
        }
      }
    }
  }

  @Test
  public void everythingThatIsWrongIsSaidAtOnce() {
    for (Writer<?> writer : Writers.ALL) {
      List<String> canBeWrong =
          optionsOf(writer).stream().filter(option -> !NEVER_WRONG.contains(option)).toList();

      CommandException e =
          assertThrows(
              CommandException.class,
              () ->
                  writer.start(
                      canBeWrong.stream()
                          .map(option -> "--" + option + "=?nonsense")
                          .toArray(String[]::new)));

      assertWithMessage("%s", writer)
          .that(e.getMessage().lines().map(line -> line.replaceFirst(": .*", "")).toList())
          .containsExactlyElementsIn(canBeWrong.stream().map(option -> "--" + option).toList());
    }
  }

  @Test
  public void everythingThatIsMissingIsSaidAtOnceWithExamples() {
    for (Writer<?> writer : Writers.ALL) {
      CommandException e = assertThrows(CommandException.class, writer::start);

      assertWithMessage("%s", writer)
          .that(e.getMessage().lines().toList())
          .containsExactlyElementsIn(
              writer.endpoints().entrySet().stream()
                  .map(
                      each ->
                          "--"
                              + each.getKey()
                              + " is missing. "
                              + OptionCheck.examples(each.getValue()))
                  .toList())
          .inOrder();
      assertThat(e).hasMessageThat().contains("kafka://broker-1:9092");
    }
  }

  @Test
  public void aWriterReadsABusAndHasOneForItsDeadLetters() {
    for (Writer<?> writer : Writers.ALL) {
      assertWithMessage("%s", writer)
          .that(writer.endpoints().keySet().stream().limit(2).toList())
          .containsExactly(writer.reads(), "deadLetterBus")
          .inOrder();
    }
  }

  @Test
  public void aStoreThatAnotherWriterInsertsIntoIsRefusedWithTheRightName() {
    CommandException ofOthers =
        assertThrows(
            CommandException.class,
            () ->
                StreamingInsertWriter.WRITER.start(
                    "--streamingInsertBus=kafka://127.0.0.1:1/files",
                    "--deadLetterBus=kafka://127.0.0.1:1/letters",
                    "--offlineStore=bigquery://my-project/tailrace_{environment}"));
    CommandException ofBigQuery =
        assertThrows(
            CommandException.class,
            () ->
                BigQueryStreamingWriter.WRITER.start(
                    "--streamingInsertBus=kafka://127.0.0.1:1/files",
                    "--deadLetterBus=kafka://127.0.0.1:1/letters",
                    "--offlineStore=duckdb:///a.db?schema={environment}"));

    assertThat(ofOthers)
        .hasMessageThat()
        .isEqualTo(
            "--offlineStore: the streaming-insert-writer does not insert into"
                + " bigquery://my-project/tailrace_{environment}: start the"
                + " bigquery-streaming-writer, which does");
    assertThat(ofBigQuery)
        .hasMessageThat()
        .isEqualTo(
            "--offlineStore: the bigquery-streaming-writer does not insert into"
                + " duckdb:///a.db?schema={environment}: start the streaming-insert-writer, which"
                + " does");
  }

  @Test
  public void oneWriterInsertsIntoAStore() {
    List<String> ofDuckDb =
        Writers.forOfflineStore(Writers.ALL, "duckdb:///a.db").stream().map(Writer::name).toList();
    List<String> ofBigQuery =
        Writers.forOfflineStore(Writers.ALL, "bigquery://my-project/d").stream()
            .map(Writer::name)
            .toList();

    assertThat(ofDuckDb).contains("streaming-insert-writer");
    assertThat(ofDuckDb).doesNotContain("bigquery-streaming-writer");
    assertThat(ofBigQuery).contains("bigquery-streaming-writer");
    assertThat(ofBigQuery).doesNotContain("streaming-insert-writer");
    assertThat(Writers.forOfflineStore(Writers.ALL, "nonsense").stream().map(Writer::name).toList())
        .isEqualTo(ofDuckDb);
  }

  @Test
  public void anOnlineStoreIsLookedAtForTheEnvironmentsThatAreNamed() throws Exception {
    Path key = Files.writeString(folder.newFile().toPath(), "ANYBODY");
    String bus = "dir://" + folder.newFolder("0").getParent();
    try (FakeDynamoDb server = FakeDynamoDb.start()) {
      String store =
          "dynamodb://eu-west-1/t-{environment}?endpoint=%s&accessKey=file:%s&secretKey=file:%s"
              .formatted(server.endpoint(), key, key);
      OptionCheck check = new OptionCheck();
      var unused =
          OnlineWriter.WRITER.look(
              PipelineOptionsFactory.fromArgs(
                      "--resultBus=" + bus,
                      "--deadLetterBus=" + bus,
                      "--environments=staging",
                      "--onlineStore=" + store)
                  .as(OnlineWriterOptions.class),
              check);
      check.ask();

      assertThat(assertThrows(CommandException.class, check::finish))
          .hasMessageThat()
          .contains("the table t-staging is missing");

      server.account("111111111111");
      server.createTable("t-staging", "__id__", "__ns__");
      assertThat(check.identity("deadLetterBus")).contains("111111111111/t-{environment}");
    }
  }

  @Test
  public void namesAreUnique() {
    List<String> names = Writers.ALL.stream().map(Writer::name).toList();

    assertThat(names).containsNoDuplicates();
  }

  private static List<String> optionsOf(Writer<?> writer) {
    return WriterOption.of(writer).stream().map(WriterOption::name).toList();
  }

  private static Explicit explicit(Writer<?> writer, String option) {
    return writer == BigQueryStreamingWriter.WRITER && option.equals("offlineStore")
        ? Explicit.uri("bigquery://my-project/tailrace_{environment}")
        : requireNonNull(EXPLICIT.get(option), option);
  }

  private static List<String> explicit(Writer<?> writer, Iterable<String> options) {
    List<String> arguments = new ArrayList<>();
    for (String option : options) {
      assertWithMessage("%s --%s has no example in this test", writer, option)
          .that(EXPLICIT)
          .containsKey(option);
      arguments.add("--" + option + "=" + explicit(writer, option).text());
    }
    return arguments;
  }

  /** Returns what a writer understands, by the names of its options; endpoints by their URIs. */
  private static Map<String, Object> meaning(Writer<?> writer, List<String> arguments)
      throws Exception {
    WriterOptions options =
        PipelineOptionsFactory.fromArgs(arguments.toArray(String[]::new)).as(writer.options());
    OptionCheck check = new OptionCheck();
    Object parsed = writer.look(options, check).get();
    check.finish();

    Map<String, Object> meant = new HashMap<>();
    add(parsed, meant);
    meant.put("environments", WriterOptions.environments(options));
    meant.put("busReader", BusReading.of(options));
    return meant;
  }

  /** Adds the parts of a record, and those of records among them. */
  private static void add(Object parsed, Map<String, Object> meant) throws Exception {
    for (RecordComponent part : parsed.getClass().getRecordComponents()) {
      Object value = part.getAccessor().invoke(parsed);
      if (value instanceof Record group && !(value instanceof Endpoint)) {
        add(group, meant);
      } else {
        meant.put(part.getName(), value instanceof Endpoint endpoint ? endpoint.uri() : value);
      }
    }
  }
}

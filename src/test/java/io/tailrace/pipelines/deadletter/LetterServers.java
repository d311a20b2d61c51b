package io.tailrace.pipelines.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.pubsub.PubSubTopics;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.NumberText;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.testing.fakes.FakePubSub;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.rules.ExternalResource;
import org.junit.rules.TemporaryFolder;
import picocli.CommandLine;

/**
 * A real Kafka and a simulated Pub/Sub, with topics of their own for every test: of letters, and of
 * what they are of.
 */
final class LetterServers extends ExternalResource {
  /** Where letters are. */
  enum Kind {
    KAFKA,
    PUBSUB
  }

  private final TemporaryFolder folder;
  private final Map<String, String> settings;
  private LocalKafka kafka;
  private FakePubSub pubSub;
  private PubSubTopics topics;
  private Kind kind = Kind.KAFKA;
  private int tests;

  /** What a command has said. */
  record Run(int code, String out, String err) {}

  LetterServers(TemporaryFolder folder) {
    this(folder, Map.of());
  }

  /** With settings of the brokers. */
  LetterServers(TemporaryFolder folder, Map<String, String> settings) {
    this.folder = folder;
    this.settings = settings;
  }

  @Override
  protected void before() throws Exception {
    kafka = LocalKafka.start(folder.newFolder().toPath(), 0, settings);
    pubSub = FakePubSub.start().disorderly(0.05);
    topics = PubSubTopics.at(pubSub.host());
  }

  @Override
  protected void after() {
    pubSub.close();
    kafka.close();
  }

  /** Makes new topics. */
  void createTopics() throws Exception {
    createTopics(Kind.KAFKA);
  }

  /** Makes new topics of a kind. */
  void createTopics(Kind made) throws Exception {
    tests++;
    kind = made;
    if (kind == Kind.PUBSUB) {
      for (String each : List.of("letters", "results")) {
        topics.create(each + "-" + tests);
      }
    } else {
      kafka.createTopic("letters-" + tests, 2);
      kafka.createTopic("results-" + tests, 1);
    }
  }

  /** Makes new topics of Kafka, that of results with settings. */
  void createTopics(Map<String, String> settings) {
    tests++;
    kind = Kind.KAFKA;
    kafka.createTopic("letters-" + tests, 2);
    kafka.createTopic("results-" + tests, 1, settings);
  }

  LocalKafka kafka() {
    return kafka;
  }

  FakePubSub pubSub() {
    return pubSub;
  }

  Bus letters() {
    return Buses.at(uri("letters"));
  }

  Bus results() {
    return Buses.at(uri("results"));
  }

  /** Returns the URI of one of the topics. */
  String uri(String topic) {
    String name = topic + "-" + tests;
    return kind == Kind.PUBSUB
        ? topics.uri(name)
        : "kafka://" + kafka.bootstrapServers() + "/" + name;
  }

  /** Publishes messages. */
  void publish(Bus bus, List<OutgoingMessage> messages) throws Exception {
    try (BusPublisher publisher = bus.publisher()) {
      for (OutgoingMessage each : messages) {
        publisher.publish(each);
      }
      publisher.flush();
    }
  }

  /** Publishes letters, all to one partition, in which the first has the position {@code P@0}. */
  void publish(OutgoingMessage... letters) throws Exception {
    publish(letters(), List.of(letters));
  }

  /** Returns everything that a topic has, a partition after the other. */
  List<BusMessage> read(Bus bus) throws Exception {
    List<BusMessage> all = new ArrayList<>();
    try (BusLog log = bus.log(BusLog.Use.LOOK)) {
      log.read(all::add);
    }
    return all;
  }

  /** Returns the letters that wait. */
  List<StoredLetter> waiting() throws Exception {
    List<StoredLetter> waiting = new ArrayList<>();
    try (BusLog log = letters().log(BusLog.Use.LOOK)) {
      WaitingLetters.of(log).read(letter -> true, waiting::add);
    }
    return waiting;
  }

  /** Begins a letter as the online writer would write it, of a message at an offset. */
  Draft letter(long offset) {
    Draft letter = new Draft();
    letter.value = ("message " + offset).getBytes(UTF_8);
    letter
        .with("tailrace.writer", "online-writer")
        .with("tailrace.group", "online-writer")
        .with("tailrace.stage", "DecodeResults")
        .with("tailrace.reason", "UNDECODABLE")
        .with("tailrace.retryable", "false")
        .with("tailrace.message", "it is no result")
        .with("tailrace.failed-at", Instant.now().toString())
        .with("tailrace.published-at", Instant.now().toString())
        .with("tailrace.published-by", "bus")
        .with("tailrace.attempts", "1")
        .with("tailrace.bus", results().name())
        .with("tailrace.topic", results().topic())
        .with("tailrace.partition", "0")
        .with("tailrace.offset", Long.toString(offset))
        .with("__connect.errors.topic", results().topic());
    return letter;
  }

  /** A letter, as far as it has come. */
  static final class Draft {
    /** All of one key, and so in one partition. */
    private byte @Nullable [] key = "k".getBytes(UTF_8);

    private byte @Nullable [] value;
    private final List<Header> theirs = new ArrayList<>();
    private final Map<String, String> ours = new LinkedHashMap<>();

    Draft with(String name, String text) {
      ours.put(name, text);
      return this;
    }

    Draft without(String name) {
      ours.remove(name);
      return this;
    }

    Draft value(byte @Nullable [] bytes) {
      value = bytes;
      return this;
    }

    Draft key(byte @Nullable [] bytes) {
      key = bytes;
      return this;
    }

    /** Adds a header of the message itself. */
    Draft header(Header header) {
      theirs.add(header);
      return this;
    }

    OutgoingMessage message() {
      List<Header> headers = new ArrayList<>(theirs);
      ours.forEach((name, text) -> headers.add(Header.of(name, text)));
      return new OutgoingMessage(key, value, Headers.of(headers));
    }
  }

  /** Runs a command on the letters. */
  Run run(String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("--deadLetterBus=" + uri("letters"));
    return execute(all.toArray(String[]::new));
  }

  /** Runs a command. */
  static Run execute(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int code =
        NumberText.readBy(new CommandLine(new DeadLettersCommand()))
            .setCaseInsensitiveEnumValuesAllowed(true)
            .setOut(new PrintWriter(out, true))
            .setErr(new PrintWriter(err, true))
            .setExecutionExceptionHandler(
                (e, command, parsed) -> {
                  if (e instanceof CommandException) {
                    command.getErr().println(e.getMessage());
                    return 1;
                  }
                  throw e;
                })
            .execute(arguments);
    return new Run(code, out.toString(), err.toString());
  }
}

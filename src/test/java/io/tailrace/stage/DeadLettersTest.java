package io.tailrace.stage;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.Bus;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.pipelines.local.servers.LocalKafka;
import io.tailrace.result.DecodeResults;
import io.tailrace.result.Result;
import io.tailrace.testing.Letters;
import io.tailrace.testing.Messages;
import io.tailrace.testing.Results;
import io.tailrace.v1.DeadLetter.Reason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.SimpleFunction;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.AfterClass;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.rules.TestName;

/**
 * From a real Kafka to a real Kafka: whatever record a topic accepts, one that can't be processed
 * is one letter a stage, and what comes behind it goes on.
 */
public class DeadLettersTest {
  /** A record that compresses well may be many times as large as its topic takes. */
  private static final int LARGE = 3 << 20;

  private static final Duration PATIENCE = Duration.ofSeconds(60);

  @ClassRule public static final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final TestName test = new TestName();

  private static LocalKafka kafka;

  @BeforeClass
  public static void start() {
    kafka = LocalKafka.start(folder.getRoot().toPath().resolve("kafka"), 0);
  }

  @AfterClass
  public static void stop() {
    kafka.close();
  }

  @Test
  public void anyRecordThatKafkaAcceptsIsOneLetterFromWhichItCanBeSentBack() throws Exception {
    List<OutgoingMessage> published = publish(new Random(11), 40);
    Optional<Overflow> overflow = Optional.of(Overflow.in(folder.newFolder().getAbsolutePath()));

    Map<Long, OutgoingMessage> letters = letters(published.size(), overflow);

    for (int i = 0; i < published.size(); i++) {
      OutgoingMessage letter = letters.get((long) i);
      OutgoingMessage sent = published.get(i);
      OutgoingMessage original = Letters.original(letter);
      assertThat(original.key()).isEqualTo(sent.key());
      assertThat(original.payload()).isEqualTo(sent.payload());
      assertThat(original.headers()).isEqualTo(withoutOurs(sent.headers()));
      assertThat(reason(letter))
          .isEqualTo(sent.bytes().length == 0 ? Reason.MISSING_FIELD : Reason.UNDECODABLE);
    }
  }

  @Test
  public void withoutAPlaceForThemRecordsThatAreTooLargeAreLettersAllTheSame() throws Exception {
    List<OutgoingMessage> published = publish(new Random(12), 25);

    Map<Long, OutgoingMessage> letters = letters(published.size(), Optional.empty());

    int tooLarge = 0;
    for (int i = 0; i < published.size(); i++) {
      OutgoingMessage letter = letters.get((long) i);
      if (reason(letter) == Reason.TOO_LARGE) {
        tooLarge++;
        assertThat(letter.headers().text(Letter.MESSAGE).orElse(""))
            .contains("--deadLetterOverflow");
      } else {
        OutgoingMessage sent = published.get(i);
        OutgoingMessage original = Letters.original(letter);
        assertThat(original.payload()).isEqualTo(sent.payload());
        assertThat(original.headers()).isEqualTo(withoutOurs(sent.headers()));
      }
    }
    assertThat(tooLarge).isAtLeast(3);
  }

  @Test
  public void aPlaceThatCannotBeWrittenIsFoundWhereItIsWritten() throws Exception {
    String file = folder.newFile().getAbsolutePath();
    createTopic("letters");
    Pipeline pipeline = Pipeline.create();
    // The direct runner sets up a step when something comes.
    pipeline
        .apply(Create.of(failure()))
        .apply(
            DeadLetters.to(bus("letters"), "online-writer", bus("letters"))
                .overflowingTo(1 << 20, Optional.of(Overflow.in(file + "/below"))));

    RuntimeException e =
        assertThrows(RuntimeException.class, () -> pipeline.run().waitUntilFinish());

    assertThat(e).hasMessageThat().contains("'" + file + "/below' can't be written");
  }

  private Failure failure() {
    return Failure.ofMessage(
        "DecodeResults", Reason.UNDECODABLE, "", "no", Messages.of(new byte[1], 1));
  }

  /** Publishes records of all kinds, none of which is a result. */
  private List<OutgoingMessage> publish(Random random, int count) throws Exception {
    createTopic("results");
    List<OutgoingMessage> published = new ArrayList<>();
    try (KafkaProducer<byte[], byte[]> producer = producer()) {
      while (published.size() < count) {
        byte @Nullable [] value = bytes(random);
        if (value != null && value.length > 0) {
          // No field of a protobuf message begins so.
          value[0] = 7;
        }
        byte @Nullable [] key = random.nextInt(4) == 0 ? bytes(random) : few(random);
        Headers headers = random.nextInt(3) == 0 ? Headers.NONE : headers(random);
        OutgoingMessage message = new OutgoingMessage(key, value, headers);
        ProducerRecord<byte[], byte[]> record =
            new ProducerRecord<>(topic("results"), 0, timestamp(random), key, value);
        headers.all().forEach(each -> record.headers().add(each.name(), each.value()));
        try {
          producer.send(record).get();
          published.add(message);
        } catch (ExecutionException e) {
          // Not one that Kafka accepts.
          assertThat(e).hasCauseThat().isInstanceOf(RecordTooLargeException.class);
        }
      }
      producer
          .send(
              new ProducerRecord<>(topic("results"), Results.of(Results.user("ann")).toByteArray()))
          .get();
    }
    return published;
  }

  /** Decodes what was published; returns the letters by the offset of their messages. */
  private Map<Long, OutgoingMessage> letters(int count, Optional<Overflow> overflow)
      throws Exception {
    createTopic("letters");
    Pipeline pipeline =
        Pipeline.create(
            PipelineOptionsFactory.fromArgs(
                    "--blockOnRun=false",
                    "--enforceImmutability=false",
                    "--enforceEncodability=false")
                .create());
    WithFailures.Result<PCollection<Result>, Failure> decoded =
        pipeline
            .apply("Read", bus("results").read("group"))
            .apply("Decode", DecodeResults.forWriter("online-writer"));
    decoded
        .failures()
        .apply(
            DeadLetters.to(bus("letters"), "online-writer", bus("results"))
                .overflowingTo(1_048_588, overflow));
    // What comes last of all goes on, too: its letter says that it did.
    decoded
        .output()
        .apply("Refuse", MapElements.via(new RefuseFn()))
        .apply(
            "Last",
            DeadLetters.to(bus("letters"), "online-writer", bus("results"))
                .overflowingTo(1_048_588, overflow));
    PipelineResult running = pipeline.run();
    Map<Long, OutgoingMessage> letters = new HashMap<>();
    try (KafkaConsumer<byte[], byte[]> consumer = consumer()) {
      long deadline = System.nanoTime() + PATIENCE.toNanos();
      while (letters.size() < count + 1 && System.nanoTime() < deadline) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          OutgoingMessage message = message(record);
          Letters.assertShort(message.headers());
          Letter letter = Letter.of(message.headers()).orElseThrow();
          assertThat(letter.text(Letter.TOPIC)).isEqualTo(topic("results"));
          long offset = Long.parseLong(letter.text(Letter.OFFSET));
          assertWithMessage("another letter of " + offset)
              .that(letters.put(offset, message))
              .isNull();
        }
        assertThat(running.getState()).isEqualTo(PipelineResult.State.RUNNING);
      }
    } finally {
      running.cancel();
    }
    assertThat(letters).hasSize(count + 1);
    assertThat(reason(letters.get((long) count))).isEqualTo(Reason.INVALID_VALUE);
    return letters;
  }

  private KafkaConsumer<byte[], byte[]> consumer() {
    KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", kafka.bootstrapServers()),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer());
    List<TopicPartition> partition = List.of(new TopicPartition(topic("letters"), 0));
    consumer.assign(partition);
    consumer.seekToBeginning(partition);
    return consumer;
  }

  private static final class RefuseFn extends SimpleFunction<Result, Failure> {
    private static final long serialVersionUID = 1;

    @Override
    public Failure apply(Result result) {
      return Failure.ofMessage("After", Reason.INVALID_VALUE, "", "it came", result.message());
    }
  }

  private static OutgoingMessage message(ConsumerRecord<byte[], byte[]> record) {
    List<Header> headers = new ArrayList<>();
    record.headers().forEach(each -> headers.add(new Header(each.key(), each.value())));
    return new OutgoingMessage(record.key(), record.value(), Headers.of(headers));
  }

  private static Reason reason(OutgoingMessage letter) {
    return Letter.of(letter.headers()).orElseThrow().reason();
  }

  private static Headers withoutOurs(Headers headers) {
    return Headers.of(headers.all().stream().filter(each -> !Letters.isOurs(each.name())).toList());
  }

  /** What compresses may be large; what does not fills a batch to the last byte at most. */
  private static byte @Nullable [] bytes(Random random) {
    return switch (random.nextInt(6)) {
      case 0 -> null;
      case 1 -> new byte[0];
      case 2 -> {
        byte[] even = new byte[LARGE];
        Arrays.fill(even, (byte) random.nextInt());
        yield even;
      }
      case 3 -> odd(random, 300_000);
      case 4 -> odd(random, 1_048_480 - random.nextInt(3_000));
      default -> few(random);
    };
  }

  private static byte[] odd(Random random, int count) {
    byte[] odd = new byte[count];
    random.nextBytes(odd);
    return odd;
  }

  private static byte @Nullable [] few(Random random) {
    byte[] few = new byte[random.nextInt(30)];
    random.nextBytes(few);
    return random.nextInt(5) == 0 ? null : few;
  }

  private static Headers headers(Random random) {
    List<Header> headers = new ArrayList<>();
    for (int i = random.nextInt(6); i >= 0; i--) {
      String name =
          List.of(
                  "",
                  "trace",
                  "trace",
                  "größe",
                  "tailrace.writer",
                  "tailrace.reason",
                  "x".repeat(900))
              .get(random.nextInt(7));
      headers.add(new Header(name, random.nextInt(8) == 0 ? new byte[LARGE / 2] : few(random)));
    }
    return Headers.of(headers);
  }

  /** Null: the producer's clock. */
  private static @Nullable Long timestamp(Random random) {
    return Arrays.asList(null, 0L, 1L, System.currentTimeMillis() + 3_000_000)
        .get(random.nextInt(4));
  }

  private static KafkaProducer<byte[], byte[]> producer() {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers",
            kafka.bootstrapServers(),
            "compression.type",
            "zstd",
            "max.request.size",
            64 << 20),
        new ByteArraySerializer(),
        new ByteArraySerializer());
  }

  private String topic(String name) {
    return test.getMethodName() + "-" + name;
  }

  private Bus bus(String name) {
    return Buses.at("kafka://" + kafka.bootstrapServers() + "/" + topic(name));
  }

  private void createTopic(String name) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
      admin
          .createTopics(
              List.of(
                  // Records of long ago are not to vanish from the test.
                  new NewTopic(topic(name), 1, (short) 1).configs(Map.of("retention.ms", "-1"))))
          .all()
          .get();
    }
  }
}

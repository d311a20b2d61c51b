package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.directory.DirectoryKind;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Letter;
import io.tailrace.stage.Outputs;
import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.ReadBus;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.windowing.FixedWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.PCollection;
import org.joda.time.Duration;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That a writer makes letters of the failures of all its stages, whatever windows they work in. */
public class WriterFailuresTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final AddedKinds added = AddedKinds.of(DirectoryKind.class);

  private static final Writer<BusMessage> WRITER =
      Writer.named("refusing-writer", ResultBusOptions.class)
          .says("Refuses everything twice.")
          .reads("resultBus", ResultBusOptions::getResultBus)
          .settles("Refuse", "none", "none")
          .with((options, check) -> () -> 0, (start, nothing) -> build(start));

  private static PCollection<BusMessage> build(WriterStart start) {
    PCollection<BusMessage> once =
        Outputs.of(start.pipeline().apply("Read", start.source()), "Refuse", new RefuseFn("Once"))
            .failuresTo(start.failures());
    return Outputs.of(
            once.apply("ByMinute", Window.into(FixedWindows.of(Duration.standardMinutes(1)))),
            "RefuseAgain",
            new RefuseFn("ByTheMinute"))
        .failuresTo(start.failures());
  }

  private static final class RefuseFn extends DoFn<BusMessage, BusMessage> {
    private static final long serialVersionUID = 1;

    private final String stage;

    RefuseFn(String stage) {
      this.stage = stage;
    }

    @ProcessElement
    public void refuse(@Element BusMessage message, MultiOutputReceiver out) {
      Outputs.failures(out)
          .output(Failure.ofMessage(stage, Reason.INVALID_VALUE, "", "no", message));
      Outputs.<BusMessage>main(out).output(message);
    }
  }

  @Test
  public void aStageThatWorksByTheMinuteMayFailToo() throws Exception {
    Bus results = topic("results");
    Bus letters = topic("letters");
    try (BusPublisher publisher = results.publisher()) {
      publisher.publish(OutgoingMessage.of("anything".getBytes(UTF_8)));
      publisher.flush();
    }

    PipelineResult writer =
        WRITER.start(
            "--runner=DirectRunner",
            "--blockOnRun=false",
            "--resultBus=" + results.uri(),
            "--deadLetterBus=" + letters.uri());
    ReadBus reading = ReadBus.start(letters, "test");
    try {
      List<Letter> found =
          reading.await(2).stream().map(each -> Letter.of(each.headers()).orElseThrow()).toList();
      assertThat(found.stream().map(Letter::stage).toList()).containsExactly("Once", "ByTheMinute");
    } finally {
      writer.cancel();
      reading.cancel();
    }
  }

  private Bus topic(String name) throws Exception {
    Path path = folder.newFolder().toPath().resolve(name);
    Files.createDirectories(path.resolve("0"));
    return Buses.at("dir://" + path);
  }
}

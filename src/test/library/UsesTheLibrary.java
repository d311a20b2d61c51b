import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Buses;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsStores;
import io.tailrace.metrics.WriteSummaries;
import io.tailrace.offline.EncodeObservations;
import io.tailrace.offline.InsertObservations;
import io.tailrace.offline.OfflineStores;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.WriteOnline;
import io.tailrace.result.DecodeResults;
import io.tailrace.stage.Failure;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;

/**
 * A program of somebody who depends on the library and on the direct runner, and on nothing else.
 */
public final class UsesTheLibrary {
  private static final long NOW = System.currentTimeMillis() * 1_000;

  private UsesTheLibrary() {}

  public static void main(String[] arguments) {
    switch (arguments[0]) {
      case "pipeline" -> runStages();
      case "postgresql" -> {
        InsertObservations.into(arguments[1]);
        WriteSummaries.to(arguments[1]);
        say(() -> OfflineStores.at(arguments[1]).check());
        say(() -> MetricsStores.at(arguments[1]).check());
      }
      case "redis" -> {
        WriteOnline.to(arguments[1]);
        say(() -> OnlineStores.at(arguments[1]).check());
      }
      case "kafka" -> say(() -> Buses.at(arguments[1]).check());
      case "offline" -> say(() -> InsertObservations.into(arguments[1]));
      case "metrics" -> say(() -> WriteSummaries.to(arguments[1]));
      default -> throw new IllegalArgumentException(arguments[0]);
    }
  }

  private interface Step {
    void run() throws UnavailableException;
  }

  private static void say(Step step) {
    try {
      step.run();
      System.out.println("done");
    } catch (UnavailableException | IllegalArgumentException e) {
      System.out.println(e.getMessage());
    }
  }

  /** Decodes two results, one of them broken, and makes files of what they hold. */
  private static void runStages() {
    List<PCollection<Failure>> failures = new ArrayList<>();
    Pipeline pipeline = Pipeline.create(PipelineOptionsFactory.create());
    pipeline
        .apply(Create.of(message(result().toByteArray()), message(new byte[] {1})))
        .apply("Decode", DecodeResults.forWriter("mine"))
        .failuresTo(failures)
        .apply("Encode", EncodeObservations.create())
        .failuresTo(failures)
        .apply("SayFile", ParDo.of(new SayFileFn()));
    PCollectionList.of(failures)
        .apply(Flatten.pCollections())
        .apply("SayFailure", ParDo.of(new SayFailureFn()));
    pipeline.run().waitUntilFinish();
  }

  private static QueryResult result() {
    return QueryResult.newBuilder()
        .setOperationId("op")
        .setEnvironmentId("production")
        .setQueryTimestamp(NOW)
        .addFrames(
            Frame.newBuilder()
                .setNamespace("user")
                .addStringKeys("u1")
                .addColumns(
                    Column.newBuilder()
                        .setFeature("user.age")
                        .setType(Column.Type.INT64)
                        .setMaxStaleness(Long.MAX_VALUE)
                        .addObservedAt(NOW)
                        .addInt64Values(7)))
        .build();
  }

  private static BusMessage message(byte[] payload) {
    return BusMessage.of(payload, Place.numbered("topic", 0, 1), MessageTime.ofBus(NOW));
  }

  private static final class SayFileFn extends DoFn<OutgoingMessage, Void> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void say(@Element OutgoingMessage file) {
      System.out.println("a file");
    }
  }

  private static final class SayFailureFn extends DoFn<Failure, Void> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void say(@Element Failure failure) {
      System.out.println(failure.stage() + " " + failure.reason());
    }
  }
}

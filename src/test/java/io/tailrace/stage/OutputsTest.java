package io.tailrace.stage;

import io.tailrace.bus.BusMessage;
import io.tailrace.testing.Messages;
import io.tailrace.v1.DeadLetter.Reason;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.testing.PAssert;
import org.apache.beam.sdk.testing.TestPipeline;
import org.apache.beam.sdk.testing.TestStream;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.MapElements;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.transforms.windowing.FixedWindows;
import org.apache.beam.sdk.transforms.windowing.IntervalWindow;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.TimestampedValue;
import org.apache.beam.sdk.values.TypeDescriptors;
import org.joda.time.Duration;
import org.joda.time.Instant;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Where that goes what a stage puts out while a bundle goes on and at its end. */
@RunWith(JUnit4.class)
public class OutputsTest {
  private static final Duration MINUTE = Duration.standardMinutes(1);

  @Rule public final transient TestPipeline pipeline = TestPipeline.create();

  /** Puts out every number when three are held; odd ones as failures. */
  private static final class ByThreesFn extends DoFn<Integer, String> {
    private static final long serialVersionUID = 1;

    private transient Gathered<Integer> gathered;
    private transient Outputs<String> outputs;

    @StartBundle
    public void startBundle() {
      gathered = Gathered.<Integer>upTo(1_000, number -> 1).andUpTo(3, number -> 1);
      outputs = new Outputs<>();
    }

    @ProcessElement
    public void gather(
        @Element Integer number,
        @Timestamp Instant timestamp,
        BoundedWindow window,
        MultiOutputReceiver out) {
      gathered.add(number, timestamp, window);
      if (gathered.isDue()) {
        put(outputs.now(out, window));
      }
    }

    @FinishBundle
    public void finishBundle(FinishBundleContext context) {
      put(outputs.atEnd(context));
    }

    private void put(Outputs.Receiver<String> out) {
      for (Held<Integer> held : gathered.take()) {
        if (held.element() % 2 == 0) {
          out.put(held, held.element().toString());
        } else {
          out.fail(held, failure(held.element()));
        }
      }
    }
  }

  private static Failure failure(int number) {
    BusMessage message = Messages.of(new byte[] {(byte) number}, number);
    return Failure.ofMessage("ByThrees", Reason.INVALID_VALUE, "", "is odd", message);
  }

  private static TimestampedValue<Integer> at(long second, int number) {
    return TimestampedValue.of(number, new Instant(second * 1_000));
  }

  private static IntervalWindow minute(int minute) {
    return new IntervalWindow(new Instant(minute * 60_000L), MINUTE);
  }

  @Test
  public void everythingGoesIntoTheWindowOfTheElementThatItBecameOf() {
    WithFailures.Result<PCollection<String>, Failure> results =
        Outputs.of(
            pipeline
                // One bundle: three are put out amid it, and two at its end.
                .apply(
                    TestStream.create(VarIntCoder.of())
                        .addElements(at(1, 2), at(2, 3), at(61, 4), at(62, 5), at(121, 6))
                        .advanceWatermarkToInfinity())
                .apply(Window.into(FixedWindows.of(MINUTE))),
            "Gather",
            new ByThreesFn());

    PAssert.that(results.output()).inWindow(minute(0)).containsInAnyOrder("2");
    PAssert.that(results.output()).inWindow(minute(1)).containsInAnyOrder("4");
    PAssert.that(results.output()).inWindow(minute(2)).containsInAnyOrder("6");
    PAssert.that(results.failures()).inWindow(minute(0)).containsInAnyOrder(failure(3));
    PAssert.that(results.failures()).inWindow(minute(1)).containsInAnyOrder(failure(5));
    pipeline.run();
  }

  @Test
  public void atTheEndOfABundleEverythingHasTheTimestampOfItsElement() {
    WithFailures.Result<PCollection<String>, Failure> results =
        Outputs.of(
            pipeline.apply(
                TestStream.create(VarIntCoder.of())
                    .addElements(at(1, 2), at(7, 4))
                    .advanceWatermarkToInfinity()),
            "Gather",
            new ByThreesFn());

    PAssert.that(results.output().apply(ParDo.of(new WithTimestampFn())))
        .containsInAnyOrder("2 at 1000", "4 at 7000");
    PAssert.that(
            results
                .failures()
                .apply(MapElements.into(TypeDescriptors.strings()).via(Failure::message)))
        .empty();
    pipeline.run();
  }

  private static final class WithTimestampFn extends DoFn<String, String> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void describe(
        @Element String text, @Timestamp Instant timestamp, OutputReceiver<String> out) {
      out.output(text + " at " + timestamp.getMillis());
    }
  }
}

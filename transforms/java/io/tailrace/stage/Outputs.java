package io.tailrace.stage;

import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.DoFn.MultiOutputReceiver;
import org.apache.beam.sdk.transforms.DoFn.OutputReceiver;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.windowing.BoundedWindow;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;

/**
 * What every stage puts out: its outputs and its failures, in the same way while a bundle goes on
 * and at its end. {@link #of} makes them the outputs of a step; the step's DoFn has an {@code
 * Outputs} for each bundle ({@link Gathered} shows how), or where nothing is gathered puts out
 * directly ({@link #main}, {@link #failures}).
 *
 * <p>Everything goes into the window of the element that it became of. At the end of a bundle it
 * has that element's timestamp; before, that of the element that is being dealt with, as Beam
 * allows no earlier one, and what belongs to another window waits for the end of the bundle.
 *
 * <p>For one bundle; not thread-safe.
 */
public final class Outputs<T> {
  // Named, as their names are part of the graph: made up ones depend on what else was built before.
  private static final TupleTag<?> MAIN = new TupleTag<>("output");
  private static final TupleTag<Failure> FAILURES = new TupleTag<>("failures") {};

  /** Takes what became of elements. */
  public interface Receiver<T> {
    /** Puts out what became of an element. */
    void put(Held<?> of, T output);

    /** Puts out a failure of an element. */
    void fail(Held<?> of, Failure failure);
  }

  private final List<Held<T>> waiting = new ArrayList<>();
  private final List<Held<Failure>> waitingFailures = new ArrayList<>();

  /**
   * Applies a step that puts out outputs and failures.
   *
   * @param step the step's name
   */
  public static <I, T> WithFailures.Result<PCollection<T>, Failure> of(
      PCollection<I> input, String step, DoFn<I, T> fn) {
    TupleTag<T> main = mainTag();
    PCollectionTuple outputs =
        input.apply(step, ParDo.of(fn).withOutputTags(main, TupleTagList.of(FAILURES)));
    return WithFailures.Result.of(outputs.get(main), outputs.get(FAILURES));
  }

  /**
   * Returns what a stage puts out that can't fail: there is a collection of failures all the same.
   * It is made of the outputs, as one that is made of nothing is a source for Flink, which has
   * another place in a savepoint where it runs beside more copies of other steps.
   */
  public static <T> WithFailures.Result<PCollection<T>, Failure> unfailing(
      PCollection<T> output, String stage) {
    return WithFailures.Result.of(
        output,
        output
            .apply(stage + "Failures", ParDo.of(new NoFailuresFn<>()))
            .setCoder(FailureCoder.of()));
  }

  private static final class NoFailuresFn<T> extends DoFn<T, Failure> {
    private static final long serialVersionUID = 1;

    @ProcessElement
    public void pass() {}
  }

  @SuppressWarnings("unchecked") // A tag is a name; the type of the output is the DoFn's.
  private static <T> TupleTag<T> mainTag() {
    return (TupleTag<T>) MAIN;
  }

  /** Returns where the outputs of the element go that is being dealt with. */
  public static <T> OutputReceiver<T> main(MultiOutputReceiver out) {
    return out.get(Outputs.<T>mainTag());
  }

  /** Returns where the failures of the element go that is being dealt with. */
  public static OutputReceiver<Failure> failures(MultiOutputReceiver out) {
    return out.get(FAILURES);
  }

  /**
   * Puts out while a bundle goes on.
   *
   * @param window that of the element that is being dealt with
   */
  public Receiver<T> now(MultiOutputReceiver out, BoundedWindow window) {
    return new Receiver<>() {
      @Override
      public void put(Held<?> of, T output) {
        if (of.window().equals(window)) {
          Outputs.<T>main(out).output(output);
        } else {
          waiting.add(of.with(output));
        }
      }

      @Override
      public void fail(Held<?> of, Failure failure) {
        if (of.window().equals(window)) {
          failures(out).output(failure);
        } else {
          waitingFailures.add(of.with(failure));
        }
      }
    };
  }

  /** Puts out at the end of a bundle: first what waited for it. */
  public <I> Receiver<T> atEnd(DoFn<I, T>.FinishBundleContext context) {
    Receiver<T> last =
        new Receiver<>() {
          @Override
          public void put(Held<?> of, T output) {
            context.output(output, of.timestamp(), of.window());
          }

          @Override
          public void fail(Held<?> of, Failure failure) {
            context.output(FAILURES, failure, of.timestamp(), of.window());
          }
        };
    waiting.forEach(held -> last.put(held, held.element()));
    waitingFailures.forEach(held -> last.fail(held, held.element()));
    waiting.clear();
    waitingFailures.clear();
    return last;
  }
}

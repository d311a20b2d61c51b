package io.tailrace.metrics;

import java.util.Optional;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.coders.CoderRegistry;
import org.apache.beam.sdk.coders.OptionalCoder;
import org.apache.beam.sdk.transforms.Combine.CombineFn;

/** Adds tallies. Nothing that is state is ever changed: it may be on its way to a checkpoint. */
final class SumTallies extends CombineFn<Tally, Optional<Tally>, Tally> {
  private static final long serialVersionUID = 1;

  @Override
  public Optional<Tally> createAccumulator() {
    return Optional.empty();
  }

  @Override
  public Optional<Tally> addInput(Optional<Tally> sum, Tally tally) {
    return Optional.of(sum.map(it -> it.plus(tally)).orElse(tally));
  }

  @Override
  public Optional<Tally> mergeAccumulators(Iterable<Optional<Tally>> sums) {
    Optional<Tally> all = Optional.empty();
    for (Optional<Tally> sum : sums) {
      all = sum.isPresent() ? addInput(all, sum.get()) : all;
    }
    return all;
  }

  @Override
  public Tally extractOutput(Optional<Tally> sum) {
    return sum.orElseGet(Tally::new);
  }

  @Override
  public Coder<Optional<Tally>> getAccumulatorCoder(CoderRegistry registry, Coder<Tally> tallies) {
    return OptionalCoder.of(tallies);
  }

  @Override
  public Coder<Tally> getDefaultOutputCoder(CoderRegistry registry, Coder<Tally> tallies) {
    return tallies;
  }
}

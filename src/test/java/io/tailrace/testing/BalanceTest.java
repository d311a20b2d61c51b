package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.metrics.Metrics;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.junit.Test;

/** That a test of a pipeline fails where a stage does not account for what it received. */
public class BalanceTest {
  private static final class CountFn extends DoFn<Long, Void> {
    private static final long serialVersionUID = 1;
    private final String counter;

    CountFn(String counter) {
      this.counter = counter;
    }

    @ProcessElement
    public void count(@Element Long more) {
      Metrics.counter("Stage", counter).inc(more);
    }
  }

  private static void run(String counter, long count) {
    Pipeline pipeline =
        Pipeline.create(PipelineOptionsFactory.fromArgs("--runner=DirectRunner").create());
    pipeline.apply(Create.of(count)).apply(ParDo.of(new CountFn(counter)));
    Balance.run(pipeline);
  }

  @Test
  public void booksThatComeOutEvenPass() {
    run("unaccounted", 0);
  }

  @Test
  public void whatIsLeftOverFailsWhicheverBooksHaveIt() {
    for (String counter : new String[] {"unaccounted", "staging_unaccounted"}) {
      AssertionError e = assertThrows(AssertionError.class, () -> run(counter, 3));
      assertThat(e).hasMessageThat().contains("Stage:" + counter + "=3");
    }
  }

  @Test
  public void aPipelineThatKeepsNoBooksFails() {
    AssertionError e = assertThrows(AssertionError.class, () -> run("messages", 3));
    assertThat(e).hasMessageThat().contains("stages that keep books");
  }
}

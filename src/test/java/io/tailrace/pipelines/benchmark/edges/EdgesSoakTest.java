package io.tailrace.pipelines.benchmark.edges;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.pipelines.benchmark.edges.EdgesSoak.Outcome;
import io.tailrace.pipelines.benchmark.edges.EdgesSoak.Plan;
import java.time.Duration;
import java.util.Optional;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Every kind of bad record at all writers at once, while the stack is disturbed. */
public class EdgesSoakTest {
  @Rule public final TemporaryFolder files = new TemporaryFolder();

  @Test
  public void whatTheBusTookIsStoredOrALetterWhateverIsThrownAtTheWriters() throws Exception {
    Outcome outcome =
        new EdgesSoak(
                new Plan(Duration.ofSeconds(20), 7, 150, Optional.of(Duration.ofSeconds(4))),
                line -> {})
            .run(files.getRoot().toPath());

    assertThat(outcome.letters().first()).isEmpty();
    assertThat(outcome.letters().wrong()).isEqualTo(0);
    outcome.stores().forEach(store -> assertThat(store.listed()).isEmpty());
    assertThat(outcome.failures().restarts()).isEmpty();
    assertThat(outcome.failures().unaccounted()).isEmpty();
    assertThat(outcome.bad().keySet()).containsAtLeastElementsIn(BadRecords.kinds());
    assertThat(outcome.disturbances()).isNotEmpty();
  }
}

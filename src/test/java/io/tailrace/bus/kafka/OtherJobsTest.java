package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.endpoint.EndpointUri;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.Test;

/** Who of several jobs begins that look and claim in between each other. */
public class OtherJobsTest {
  private static final long PATIENCE_NANOS = 60_000_000_000L;

  /** What the commits of the group say. */
  private final Map<Integer, CommitMetadata> commits = new TreeMap<>();

  private final Set<String> begun = new HashSet<>();
  private final OtherJobs one = jobs("one");
  private final OtherJobs other = jobs("other");

  private static OtherJobs jobs(String job) {
    return new OtherJobs(KafkaBus.at(EndpointUri.parse("kafka://b1:9092/topic")), job);
  }

  private static CommitMetadata of(String job, long at) {
    return new CommitMetadata("metrics-writer", "store", "", job, 1, at);
  }

  /** A job that has looked, and has not claimed yet, when something else happens. */
  private void look(OtherJobs jobs, String job, Runnable meanwhile) {
    OtherJobs.Group group =
        new OtherJobs.Group() {
          @Override
          public Map<Integer, CommitMetadata> commits() {
            Map<Integer, CommitMetadata> looked = new TreeMap<>(commits);
            meanwhile.run();
            return looked;
          }

          @Override
          public void claim() {
            // Who has not begun has no interval yet.
            commits.put(0, new CommitMetadata("metrics-writer", "store", "", job, 0, 1));
          }
        };
    try {
      if (jobs.areGone(group)) {
        begun.add(job);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void lookUntilOneBegins() {
    long end = System.nanoTime() + PATIENCE_NANOS;
    while (begun.isEmpty()) {
      assertThat(System.nanoTime()).isLessThan(end);
      look(one, "one", () -> look(other, "other", () -> {}));
      look(other, "other", () -> {});
    }
  }

  @Test
  public void ofTwoThatBothLookBeforeOneClaimsTheLastToClaimBegins() {
    lookUntilOneBegins();

    assertThat(begun).containsExactly("one");
  }

  /** Their claims are older, by their clocks, than what both have committed before. */
  @Test
  public void aClaimOfAClockThatIsBehindStandsToo() {
    commits.put(1, of("one", 9));
    commits.put(2, of("other", 9));

    lookUntilOneBegins();

    assertThat(begun).hasSize(1);
  }

  @Test
  public void aJobThatIsRestoredIntoAGroupOfItsOwnBeginsAtOnce() {
    commits.put(0, of("one", 9));
    commits.put(1, of("one", 9));

    look(one, "one", () -> {});

    assertThat(begun).containsExactly("one");
    assertThat(commits.get(0)).isEqualTo(of("one", 9));
  }
}

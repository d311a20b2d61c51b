package io.tailrace.pipelines.benchmark.edges;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.pipelines.local.LocalStack;
import io.tailrace.pipelines.local.RunningWriter;
import io.tailrace.pipelines.local.proof.StoreModels;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Every writer on a real Flink, restored from savepoints with more copies and with fewer. */
public class RescaleTest {
  private static final int MOST = 8;
  private static final List<Integer> COPIES = List.of(4, MOST, 1);
  private static final int RATE = 100;
  private static final Duration PATIENCE = Duration.ofMinutes(1);

  @Rule public final TemporaryFolder files = new TemporaryFolder();

  private final StoreModels models = new StoreModels();
  private final Acknowledged acknowledged = new Acknowledged();

  @Test
  public void nothingIsLostOrDoubledWithWhateverCopiesAWriterIsRestored() throws Exception {
    try (LocalStack stack =
        LocalStack.in(files.getRoot().toPath())
            .parallelism(1)
            .upTo(MOST)
            .partitions(MOST)
            .checkpointInterval(Duration.ofMillis(500))
            .topicSettings(Map.of("max.message.bytes", Integer.toString(BadRecords.TOPIC_BYTES)))
            .start()) {
      AtomicBoolean done = new AtomicBoolean();
      ExecutorService thread = Executors.newSingleThreadExecutor();
      try (EdgePublisher publisher =
          new EdgePublisher(
              stack.kafka().bootstrapServers(), stack.writers(), 5, models, acknowledged)) {
        Future<?> publishing =
            thread.submit(
                () -> {
                  while (!done.get()) {
                    publisher.publish(Duration.ofMillis(200), RATE);
                  }
                });
        // One after the other: there is room for one with so many.
        for (RunningWriter writer : stack.writers()) {
          RunningWriter now = writer;
          for (int copies : COPIES) {
            now = stack.restartFromSavepoint(now, "--parallelism=" + copies);
            assertWithMessage("%s with %s copies", now.name(), copies)
                .that(stack.flink().restarts(now.job()))
                .isEqualTo(0);
          }
        }
        done.set(true);
        publishing.get();
      } finally {
        thread.shutdownNow();
      }
      assertThat(
              Settled.await(
                  stack.kafka().bootstrapServers(),
                  stack.writers(),
                  models,
                  Optional.of(stack.metricsStore()),
                  PATIENCE))
          .isTrue();

      models.compare(stack).forEach(store -> assertThat(store.listed()).isEmpty());
      LetterAudit.Findings letters =
          LetterAudit.of(stack.kafka().bootstrapServers(), acknowledged.refused(), Map.of());
      assertThat(letters.first()).isEmpty();
      assertThat(letters.wrong()).isEqualTo(0);
    }
  }
}

package io.tailrace.pipelines.local.watch;

import static com.google.common.truth.Truth.assertThat;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.Test;

/** That the books of stages are compared, each with the next. */
public class BooksTest {
  private static final Map<String, Long> EVEN =
      Map.of(
          "DecodeResults_results_decoded", 7L,
          "DecodeResults_unaccounted", 0L,
          "WriteOnline_results_received", 7L,
          "WriteOnline_unaccounted", 0L);
  private static final Map<String, Long> UNEVEN =
      Map.of("DecodeResults_results_decoded", 7L, "WriteOnline_results_received", 6L);

  @Test
  public void whatIsPutOutIsReceived() {
    assertThat(new Books(Map.of("online-writer", EVEN), Set.of()).differences()).isEmpty();
    assertThat(new Books(Map.of("online-writer", UNEVEN), Set.of()).differences())
        .containsExactly(
            "The online-writer: DecodeResults_results_decoded = 7, but"
                + " WriteOnline_results_received = 6");
  }

  @Test
  public void whatIsCountedAgainAfterARestartIsNotCompared() {
    assertThat(new Books(Map.of("online-writer", UNEVEN), Set.of("online-writer")).differences())
        .isEmpty();
  }

  @Test
  public void whatIsNotAccountedForIsToldAlwaysAlsoAfterARestart() {
    Map<String, Long> left = Map.of("WriteOnline_unaccounted", 2L, "Stage_staging_unaccounted", 1L);

    assertThat(new Books(Map.of("online-writer", left), Set.of("online-writer")).differences())
        .containsExactly(
            "The online-writer: Stage_staging_unaccounted = 1",
            "The online-writer: WriteOnline_unaccounted = 2");
  }

  @Test
  public void everyRowThatIsReadFromAFileIsReceivedToBeInserted() {
    Map<String, Long> uneven =
        Map.of("DecodeObservationFiles_rows_read", 15L, "InsertObservations_rows_received", 14L);

    assertThat(new Books(Map.of("w", uneven), Set.of()).differences())
        .containsExactly(
            "The w: DecodeObservationFiles_rows_read = 15, but"
                + " InsertObservations_rows_received = 14");
  }

  @Test
  public void whatOneWriterPublishesTheNextReads() {
    String sentence =
        "The offline-writer and the streaming-insert-writer: EncodeObservations_files_encoded ="
            + " 3, but DecodeObservationFiles_files_read = ";

    assertThat(files(3, 3, Set.of()).differences()).isEmpty();
    assertThat(files(3, 3, Set.of()).remarks()).isEmpty();
    assertThat(files(3, 2, Set.of()).differences()).containsExactly(sentence + "2");
    assertThat(files(3, 2, Set.of()).remarks()).isEmpty();
    // Anybody may publish there.
    assertThat(files(3, 4, Set.of()).differences()).isEmpty();
    assertThat(files(3, 4, Set.of()).remarks())
        .containsExactly(sentence + "4; others published, or it was published before this start");
  }

  @Test
  public void whatIsRepeatedBetweenWritersAfterARestartIsOnlySaid() {
    for (String restarted : List.of("offline-writer", "streaming-insert-writer")) {
      for (long read : List.of(2L, 4L)) {
        assertThat(files(3, read, Set.of(restarted)).differences()).isEmpty();
        assertThat(files(3, read, Set.of(restarted)).remarks().toString())
            .contains("one was restarted, and what it repeats is counted again");
      }
    }
  }

  @Test
  public void rowsAndSummariesAreComparedBetweenWritersToo() {
    Books books =
        new Books(
            Map.of(
                "offline-writer",
                Map.of(
                    "EncodeObservations_rows_encoded", 8L,
                    "EncodeObservations_queries_encoded", 7L),
                "streaming-insert-writer",
                Map.of(
                    "DecodeObservationFiles_rows_read", 13L,
                    "DecodeObservationFiles_rows_rejected", 1L),
                "metrics-writer",
                Map.of("SummarizeResults_summaries_published", 9L),
                "metrics-bus-writer",
                Map.of("DecodeSummaries_summaries_read", 8L)),
            Set.of());

    assertThat(books.differences())
        .containsExactly(
            "The offline-writer and the streaming-insert-writer: EncodeObservations_rows_encoded +"
                + " EncodeObservations_queries_encoded = 15, but DecodeObservationFiles_rows_read"
                + " + DecodeObservationFiles_rows_rejected = 14",
            "The metrics-writer and the metrics-bus-writer: SummarizeResults_summaries_published ="
                + " 9, but DecodeSummaries_summaries_read = 8");
  }

  private static Books files(long encoded, long read, Set<String> restarted) {
    return new Books(
        Map.of(
            "offline-writer", Map.of("EncodeObservations_files_encoded", encoded),
            "streaming-insert-writer", Map.of("DecodeObservationFiles_files_read", read)),
        restarted);
  }
}

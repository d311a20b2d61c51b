package io.tailrace.pipelines.local.watch;

import static com.google.common.truth.Truth.assertThat;

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
}

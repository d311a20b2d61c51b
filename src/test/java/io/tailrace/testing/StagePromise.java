package io.tailrace.testing;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Stage;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What every stage promises. */
public final class StagePromise {
  private static final List<String> NAMES =
      List.of(
          "production/inserts-0-12-abc.parquet",
          "production/_C3_A9t_C3_A9-0-13-abc.parquet",
          "manifests/a & b <c> \"d\" + e %2F ü.json");

  /** Holds a stage to it, one without files. */
  public static void isKeptBy(Stage stage) throws UnavailableException {
    Instant before = Instant.now().minusSeconds(2);
    Map<String, byte[]> files = new LinkedHashMap<>();
    for (String name : NAMES) {
      files.put(name, name.getBytes(UTF_8));
    }
    try (Stage.Connection connection = stage.open()) {
      assertThat(connection.list()).isEmpty();
      assertThat(connection.read(NAMES.get(0))).isEmpty();
      connection.put(files);
      connection.put(Map.of(NAMES.get(0), files.get(NAMES.get(0))));

      assertThat(connection.list().stream().map(Stage.Entry::name).toList())
          .containsExactlyElementsIn(NAMES);
      for (Stage.Entry entry : connection.list()) {
        assertThat(entry.stagedAt()).isGreaterThan(before);
        assertThat(new String(connection.read(entry.name()).orElseThrow(), UTF_8))
            .isEqualTo(entry.name());
      }

      connection.delete(List.of(NAMES.get(0), "never/there.parquet"));
      assertThat(connection.read(NAMES.get(0))).isEmpty();
      assertThat(connection.list()).hasSize(NAMES.size() - 1);
      connection.delete(NAMES);
      assertThat(connection.list()).isEmpty();
    }
    stage.check();
  }

  private StagePromise() {}
}

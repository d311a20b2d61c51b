package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.result.ValueType;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.duckdb.DuckDBDriver;
import org.junit.Test;

public class DuckDbResultFilesTest extends DuckDbFilesRules {
  @Test
  public void twoThousandFilesOfOneMessage() throws Exception {
    BulkUpload upload;
    try (OfflineResults files =
        writing(contents("q20", feature("age", ValueType.INT64)), "r20", 1)) {
      for (long i = 0; i < 2_000; i++) {
        files.add("k" + i, T, List.of(i));
      }
      upload = files.finish();
    }

    assertThat(load(upload)).isEqualTo(new Outcome(2_000, Optional.empty()));

    assertThat(count("user__age")).isEqualTo(2_000);
    assertThat(count("bulk_files")).isEqualTo(2_000);
    assertThat(load(upload).rows()).isEqualTo(0);
  }

  @Test
  public void aLinkOutOfTheBucketIsNoFileOfIt() throws Exception {
    Contents contents = contents("q23", feature("age", ValueType.INT64));
    String folderUri = bucket.uri();
    BulkUpload upload;
    try (OfflineResults files = writing(contents, "inside")) {
      files.add("a", T, List.of(1L));
      upload = files.finish();
    }
    Path inside = Path.of(upload.getFiles(0).substring("file://".length()));
    Path outside = Files.copy(inside, folder.newFolder().toPath().resolve("secret.parquet"));
    Path root = Path.of(folderUri.substring("file://".length()));
    Path unused = Files.createSymbolicLink(root.resolve("out.parquet"), outside);
    unused = Files.createSymbolicLink(root.resolve("in.parquet"), inside);

    Outcome outcome =
        load(
            upload.toBuilder()
                .clearFiles()
                .addFiles(folderUri + "/out.parquet")
                .addFiles(folderUri + "/in.parquet")
                .build());

    assertThat(outcome.rows()).isEqualTo(1);
    assertThat(outcome.failure().orElseThrow().reasons()).containsExactly(Reason.MISSING_FILE, 1);
    assertThat(outcome.failure().orElseThrow().field()).isEqualTo("files[0]");
  }

  @Test
  public void thereIsOneZeroInFilesOfOtherToolsToo() throws Exception {
    String file = bucket.uri() + "/other.parquet";
    try (Connection connection = new DuckDBDriver().connect("jdbc:duckdb:", new Properties());
        Statement statement = connection.createStatement()) {
      statement.execute(
          "COPY (SELECT 'a' AS id, make_timestamptz("
              + T
              + ") AS at, -0.0::DOUBLE AS x, [-0.0::FLOAT] AS v) TO '"
              + file.substring("file://".length())
              + "' (FORMAT parquet)");
    }
    BulkUpload upload =
        OfflineResults.description(
                contents("q21", feature("x", ValueType.FLOAT64), feature("v", ValueType.VECTOR)))
            .toBuilder()
            .addFiles(file)
            .build();

    assertThat(load(upload)).isEqualTo(new Outcome(2, Optional.empty()));

    assertThat(query("SELECT signbit(value)::VARCHAR FROM prod.user__x"))
        .containsExactly(List.of("false"));
    assertThat(query("SELECT signbit(value[1])::VARCHAR FROM prod.user__v"))
        .containsExactly(List.of("false"));
  }
}

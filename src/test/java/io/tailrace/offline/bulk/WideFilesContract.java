package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.result.ValueType;
import io.tailrace.v1.BulkUpload;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.junit.Test;

/** What a warehouse must do with files that it reads from their bucket itself. */
public abstract class WideFilesContract extends ResultFilesRules {
  /** Returns the statements that were sent, and forgets them. */
  protected abstract List<String> takeStatements();

  /** JSON and vectors are looked at one by one. */
  @Override
  protected boolean loadsByItself(ValueType type) {
    return type != ValueType.JSON && type != ValueType.VECTOR;
  }

  @Test
  public void statementsDoNotGrowWithFilesAndFeatures() throws Exception {
    long few = statements("r30", 1, 1);
    long many = statements("r31", 5, 8);

    assertThat(few).isGreaterThan(5);
    // A view for each feature that is new, and where its comment is said behind it, that, too.
    assertThat(many - few).isAtMost(2 * 7);
  }

  private long statements(String folder, int files, int features) throws Exception {
    FeatureArray all = new FeatureArray(features);
    BulkUpload upload;
    try (OfflineResults results = writing(contents(folder, all.columns), folder, 1)) {
      for (int i = 0; i < files; i++) {
        results.add("k" + i, T, all.values(i));
      }
      upload = results.finish();
    }
    takeStatements();
    assertThat(load(upload)).isEqualTo(new Outcome((long) files * features, Optional.empty()));
    List<String> sent = takeStatements();
    assertThat(sent.stream().filter(it -> it.startsWith("COPY")).count()).isEqualTo(1);
    return sent.size();
  }

  private static final class FeatureArray {
    private final FeatureColumn[] columns;

    FeatureArray(int count) {
      columns = new FeatureColumn[count];
      for (int i = 0; i < count; i++) {
        columns[i] = feature("f" + i, ValueType.INT64);
      }
    }

    List<Long> values(long value) {
      Long[] values = new Long[columns.length];
      Arrays.fill(values, value);
      return List.of(values);
    }
  }

  @Test
  public void columnsAreCalledAsTheyAreCalled() throws Exception {
    FeatureColumn odd =
        new FeatureColumn(
            "user",
            "user.it's \\ \"odd\"",
            "it's `a` \"Cölumn\"",
            new Kind(ValueType.STRING, Nulls.NOT_COMPUTED),
            "r'x\\");
    BulkUpload upload;
    try (OfflineResults files = writing(contents("ö'p", odd), "r32")) {
      files.add("kä'\\y", T, List.of("vä'l\\"));
      upload = files.finish();
    }
    takeStatements();

    assertThat(load(upload)).isEqualTo(new Outcome(1, Optional.empty()));

    assertThat(takeStatements().stream().filter(it -> it.startsWith("COPY")).count()).isEqualTo(1);
    assertThat(load(upload).rows()).isEqualTo(0);
  }
}

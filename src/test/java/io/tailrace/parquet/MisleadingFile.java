package io.tailrace.parquet;

import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.FileContents;
import java.util.List;

/** A file that is said to hold what it does not. */
public final class MisleadingFile {
  private MisleadingFile() {}

  /** Returns a file of one feature that is said to have more rows, or fewer. */
  public static ObservationFile withRows(int rows, ObservationFile file) {
    FeatureRows feature = file.features().get(0);
    FileContents contents = file.contents();
    return new ObservationFile(
        file.message(),
        file.bytes(),
        new FileContents(
            contents.footer(),
            contents.stringKeys(),
            List.of(new FeatureRows(feature.namespace(), feature.feature(), rows)),
            rows,
            contents.earliest(),
            contents.latest(),
            contents.size()));
  }
}

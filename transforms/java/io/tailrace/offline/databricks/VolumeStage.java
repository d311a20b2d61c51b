package io.tailrace.offline.databricks;

import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedForm;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A folder in a volume of Unity Catalog, {@code /Volumes/catalog/schema/volume/folder}, which is
 * reached by the Files API: it needs {@code READ VOLUME} and {@code WRITE VOLUME}. Immutable.
 *
 * @param workspace whose it is
 * @param uri its path, without a slash at its end
 */
record VolumeStage(DatabricksWorkspace workspace, String uri) implements Stage {
  private static final long serialVersionUID = 1;

  private static final Pattern PATH = Pattern.compile("/Volumes(/[^/]+){3,}");

  /** Returns why a path is none of a volume; empty: it is one. */
  static Optional<String> whyNot(String path) {
    return PATH.matcher(path).matches()
        ? Optional.empty()
        : Optional.of("'" + path + "' is no volume, such as /Volumes/catalog/schema/volume/folder");
  }

  @Override
  public Stage at(String other) {
    return new VolumeStage(workspace, other);
  }

  @Override
  public StagedForm form() {
    return StagedForm.PLAIN;
  }

  @Override
  public Connection open() {
    return new VolumeFolder(this);
  }
}

package io.tailrace.offline.databricks;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.staging.BucketAccess;
import io.tailrace.offline.staging.BucketStage;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedForm;
import io.tailrace.offline.warehouse.SchemaPattern;
import io.tailrace.offline.warehouse.WarehouseLoader.Latest;
import io.tailrace.offline.warehouse.WideCopy;
import java.io.Serializable;
import java.time.Duration;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a Databricks URI says. Immutable.
 *
 * @param server where it is
 * @param place where its tables are
 * @param stage where files wait
 * @param loadEvery how long a file waits for others at most
 * @param loads what else a URI says of loads
 */
record DatabricksAddress(
    DatabricksServer server, Place place, Stage stage, Duration loadEvery, Loads loads)
    implements Serializable {
  private static final long serialVersionUID = 1;

  static final String EXAMPLE =
      "databricks://adb-1234567890.12.azuredatabricks.net/sql/1.0/warehouses/0123456789abcdef"
          + "?catalog=features&schema=tailrace_{environment}&clientId=ID"
          + "&clientSecret=env:DATABRICKS_SECRET&stage=/Volumes/features/tailrace/stage";

  private static final String ANY_VOLUME = "/Volumes/features/tailrace/stage";

  /** A catalog, and the name of a schema, perhaps with the environment in it. */
  record Place(String catalog, String schema) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * How rows are loaded.
   *
   * @param latest whether the newest observations are kept beside history
   * @param copy how files with results are copied; null: none is
   */
  record Loads(Latest latest, @Nullable WideCopy copy) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  static DatabricksAddress of(EndpointUri uri) {
    DatabricksWorkspace workspace = DatabricksWorkspace.of(uri);
    if (!uri.path().matches("sql/1\\.0/warehouses/\\w+")) {
      uri.problem(
          "'"
              + uri.path()
              + "' is not the path of a SQL warehouse, such as"
              + " databricks://host/sql/1.0/warehouses/ID");
    }
    String catalog = uri.take("catalog").orElse("");
    if (!catalog.matches("[a-z_][a-z0-9_-]*")) {
      uri.problem(
          catalog.isEmpty()
              ? "catalog=NAME is missing"
              : "catalog="
                  + catalog
                  + " may have small letters, digits, '_' and '-' only, and begin with a letter");
    }
    String schema = SchemaPattern.take(uri);
    Stage stage = stage(uri, workspace);
    DatabricksAddress address =
        new DatabricksAddress(
            new DatabricksServer(workspace, "/" + uri.path(), catalog),
            new Place(catalog, schema),
            stage,
            uri.takeDuration("loadEvery").orElse(Duration.ofMinutes(1)),
            new Loads(
                Latest.take(uri),
                WideCopy.takeFolder(uri, Set.of("s3", "gs"))
                    .map(DatabricksWideCopy::new)
                    .orElse(null)));
    uri.finish(EXAMPLE);
    return address;
  }

  private static Stage stage(EndpointUri uri, DatabricksWorkspace workspace) {
    String place = uri.take("stage").orElse("").replaceFirst("/+$", "");
    BucketAccess access = BucketAccess.of(uri, workspace.timeouts().retryFor());
    if (place.startsWith("s3://") || place.startsWith("gs://")) {
      if (place.startsWith("s3://")) {
        BucketStage.missingLibrary().ifPresent(uri::problem);
      }
      try {
        return new BucketStage(place, access, StagedForm.PLAIN);
      } catch (IllegalArgumentException e) {
        uri.problem(String.valueOf(e.getMessage()));
      }
    } else if (VolumeStage.whyNot(place).isPresent()) {
      uri.problem(
          place.isEmpty()
              ? "stage is missing, the volume or bucket through which files go: " + ANY_VOLUME
              : "stage="
                  + place
                  + " is neither a volume nor a bucket: "
                  + ANY_VOLUME
                  + " or s3://bucket/folder");
    } else {
      return new VolumeStage(workspace, place);
    }
    return new VolumeStage(workspace, ANY_VOLUME);
  }
}

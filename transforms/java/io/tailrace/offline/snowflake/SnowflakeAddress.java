package io.tailrace.offline.snowflake;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.snowflake.SnowflakeStatements.Clustering;
import io.tailrace.offline.staging.BucketAccess;
import io.tailrace.offline.staging.BucketStage;
import io.tailrace.offline.staging.StagedForm;
import io.tailrace.offline.warehouse.WarehouseBulk;
import io.tailrace.offline.warehouse.WarehouseDialect;
import io.tailrace.offline.warehouse.WarehouseLoader.Latest;
import io.tailrace.offline.warehouse.WideCopy;
import java.io.Serializable;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/**
 * What a Snowflake URI says. Immutable.
 *
 * @param server where it is
 * @param statements where its tables are
 * @param stage where files wait
 * @param loadEvery how long a file waits for others at most
 * @param bulk how files with results are loaded, and whether the newest observations are kept
 */
record SnowflakeAddress(
    SnowflakeServer server,
    SnowflakeStatements statements,
    SnowflakeStage stage,
    Duration loadEvery,
    WarehouseBulk bulk)
    implements Serializable {
  private static final long serialVersionUID = 1;

  static final String EXAMPLE =
      "snowflake://org-account/features/tailrace_{environment}?warehouse=loading&role=tailrace"
          + "&user=writer&privateKey=file:/secrets/snowflake.p8";

  private static final String NAME = "[A-Za-z_][A-Za-z0-9_]*";

  /** Snowflake's limit is 255. */
  private static final int LONGEST = 200;

  static SnowflakeAddress of(EndpointUri uri) {
    String[] path = uri.path().split("/", -1);
    if (path.length != 2 || path[0].isEmpty() || path[1].isEmpty()) {
      uri.problem("database and schema are missing: snowflake://account/DATABASE/SCHEMA");
      path = new String[] {"DATABASE", "SCHEMA"};
    }
    String database = path[0];
    String schema = path[1];
    checkName(uri, "database", database);
    checkName(uri, "schema", schema.replaceFirst("\\Q{environment}\\E", "e"));
    SnowflakeServer server = SnowflakeServer.of(uri, database.toUpperCase(Locale.ROOT));
    Optional<String> integration = uri.take("storageIntegration");
    integration
        .filter(name -> !name.matches(NAME))
        .ifPresent(name -> uri.problem("storageIntegration=" + name + " is not the name of one"));
    Optional<String> copyFrom = WideCopy.takeFolder(uri, Set.of("s3", "gs"));
    if (copyFrom.isPresent() && integration.isEmpty()) {
      uri.problem(
          "storageIntegration=NAME is missing, with which Snowflake reads copyFrom="
              + copyFrom.get());
    }
    SnowflakeStage stage =
        stage(uri, server, schema, new Integration(integration, copyFrom.isPresent()));
    Clustering clustering =
        switch (uri.take("clustering").orElse("feature")) {
          case "feature" -> Clustering.FEATURE;
          case "none" -> Clustering.NONE;
          default -> {
            uri.problem("clustering is one of feature, none");
            yield Clustering.NONE;
          }
        };
    SnowflakeStatements statements =
        new SnowflakeStatements(
            database.toUpperCase(Locale.ROOT),
            schema,
            clustering,
            integration.orElse(null),
            server.timeouts().reply());
    SnowflakeAddress address =
        new SnowflakeAddress(
            server,
            statements,
            stage,
            uri.takeDuration("loadEvery").orElse(Duration.ofMinutes(1)),
            new WarehouseBulk(
                statements,
                Latest.take(uri),
                copyFrom
                    .map(folder -> new SnowflakeWideCopy(folder, integration.orElse("")))
                    .orElse(null)));
    uri.finish(EXAMPLE);
    return address;
  }

  /**
   * The storage integration that a URI names.
   *
   * @param ofResults whether it is needed for files with results
   */
  private record Integration(Optional<String> name, boolean ofResults) {}

  /** Takes the stage out of a URI: one of Snowflake's own, or a bucket that it may read. */
  private static SnowflakeStage stage(
      EndpointUri uri, SnowflakeServer server, String schema, Integration integration) {
    Optional<String> given = uri.take("stage").map(it -> it.replaceFirst("/+$", ""));
    BucketAccess access = BucketAccess.of(uri, server.timeouts().retryFor());
    if (given.isPresent() && given.get().contains(":/")) {
      String bucket = given.get();
      if (integration.name.isEmpty()) {
        uri.problem(
            "storageIntegration=NAME is missing, with which Snowflake reads the stage " + bucket);
      }
      if (bucket.startsWith("s3://")) {
        BucketStage.missingLibrary().ifPresent(uri::problem);
      }
      try {
        BucketStage unused = new BucketStage(bucket, access, StagedForm.CANONICAL);
      } catch (IllegalArgumentException e) {
        uri.problem(String.valueOf(e.getMessage()));
      }
      return new SnowflakeStage(server, bucket, access);
    }
    if ((integration.name.isPresent() && !integration.ofResults) || access.isGiven()) {
      uri.problem(
          "storageIntegration, stageRegion, stageAccessKey, stageSecretKey and stageEndpoint are of"
              + " a stage in a bucket: stage=s3://bucket/folder; the first also of"
              + " copyFrom=s3://results");
    }
    String name =
        given.orElse(
            schema.contains(WarehouseDialect.ENVIRONMENT)
                ? "TAILRACE.TAILRACE_STAGE"
                : schema + ".TAILRACE_STAGE");
    if (!name.matches(NAME + "[.]" + NAME)) {
      uri.problem(
          "stage=" + name + " is neither SCHEMA.NAME nor a bucket such as s3://bucket/folder");
    }
    return new SnowflakeStage(
        server, "@" + (server.context().database() + "." + name).toUpperCase(Locale.ROOT), access);
  }

  private static void checkName(EndpointUri uri, String what, String name) {
    if (!name.matches(NAME)) {
      uri.problem(
          what
              + " '"
              + name
              + "' may have letters, digits and '_' only, and begin with a letter: names fold to"
              + " upper case, so that nobody has to quote them");
    } else if (name.length() > LONGEST) {
      uri.problem(what + " '" + name + "' is longer than " + LONGEST + " letters");
    }
  }
}

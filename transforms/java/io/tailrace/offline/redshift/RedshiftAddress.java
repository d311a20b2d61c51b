package io.tailrace.offline.redshift;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.staging.BucketAccess;
import io.tailrace.offline.staging.BucketStage;
import io.tailrace.offline.staging.StagedForm;
import io.tailrace.offline.warehouse.SchemaPattern;
import io.tailrace.offline.warehouse.WarehouseBulk;
import io.tailrace.offline.warehouse.WarehouseLoader.Latest;
import io.tailrace.offline.warehouse.WideCopy;
import java.io.Serializable;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/**
 * What a Redshift URI says. Immutable.
 *
 * @param server where it is
 * @param statements where its tables are, and how files are copied
 * @param loadEvery how long a file waits for others at most
 * @param bulk how files with results are loaded, and whether the newest observations are kept
 */
record RedshiftAddress(
    RedshiftServer server, RedshiftStatements statements, Duration loadEvery, WarehouseBulk bulk)
    implements Serializable {
  private static final long serialVersionUID = 1;

  static final String EXAMPLE =
      "redshift://cluster.abc.eu-west-1.redshift.amazonaws.com:5439/features"
          + "?schema=tailrace_{environment}&user=writer&password=env:REDSHIFT_PASSWORD"
          + "&iamRole=arn:aws:iam::123456789012:role/copy&stage=s3://bucket/stage";

  private static final String ANY_ROLE = "arn:aws:iam::123456789012:role/copy";
  private static final String ANY_STAGE = "s3://bucket/stage";

  static RedshiftAddress of(EndpointUri uri) {
    BucketStage.missingLibrary().ifPresent(uri::problem);
    RedshiftServer server = RedshiftServer.of(uri);
    String schema = SchemaPattern.take(uri);
    if (SchemaPattern.withoutEnvironment(schema).startsWith("pg_")
        || schema.equals("information_schema")) {
      uri.problem("schema=" + schema + " is a name that Redshift keeps for itself");
    }
    String role = uri.take("iamRole").orElse("");
    if (!role.equals("default") && !role.matches("arn:aws[a-z-]*:iam::\\d{12}:role/\\S+")) {
      uri.problem(
          role.isEmpty()
              ? "iamRole is missing, with which Redshift reads the stage: " + ANY_ROLE
              : "iamRole=" + role + " is neither default nor such as " + ANY_ROLE);
      role = ANY_ROLE;
    }
    String stage = uri.take("stage").orElse("");
    Optional<String> whyNot =
        stage.startsWith("s3://") ? whyNoBucket(stage) : Optional.of("'" + stage + "' is none");
    if (whyNot.isPresent()) {
      uri.problem(
          stage.isEmpty()
              ? "stage is missing, the bucket through which files go: " + ANY_STAGE
              : "stage=" + stage + " is no bucket on S3, which Redshift reads: " + ANY_STAGE);
      stage = ANY_STAGE;
    }
    BucketAccess access = BucketAccess.of(uri, server.timeouts().retryFor());
    RedshiftStatements statements =
        new RedshiftStatements(schema, role, new BucketStage(stage, access, StagedForm.PLAIN));
    RedshiftAddress address =
        new RedshiftAddress(
            server,
            statements,
            uri.takeDuration("loadEvery").orElse(Duration.ofMinutes(1)),
            new WarehouseBulk(
                statements,
                Latest.take(uri),
                WideCopy.takeFolder(uri, Set.of("s3"))
                    .map(folder -> new RedshiftWideCopy(folder, statements))
                    .orElse(null)));
    uri.finish(EXAMPLE);
    return address;
  }

  private static Optional<String> whyNoBucket(String stage) {
    try {
      BucketStage unused = new BucketStage(stage, BucketAccess.DEFAULT, StagedForm.PLAIN);
      return Optional.empty();
    } catch (IllegalArgumentException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }
}

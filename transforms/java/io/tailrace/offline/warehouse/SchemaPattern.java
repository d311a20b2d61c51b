package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.parquet.TableNames;

/**
 * The name of a schema that a URI gives, perhaps with the environment in it: in small letters, so
 * that nobody has to quote it. Stateless and thread-safe.
 */
public final class SchemaPattern {
  private static final String DEFAULT = "tailrace";

  private SchemaPattern() {}

  /** Takes {@code schema} out of a URI, whose other parts and problems are left to the caller. */
  public static String take(EndpointUri uri) {
    String environment = WarehouseDialect.ENVIRONMENT;
    String schema = uri.take("schema").orElse(DEFAULT);
    String fixed = withoutEnvironment(schema);
    if (!schema.replace(environment, "e").matches("[a-z_][a-z0-9_]*")) {
      uri.problem(
          "schema="
              + schema
              + " may have small letters, digits, '_' and {environment} only, and begin with a"
              + " letter");
    } else if (fixed.contains(environment)) {
      uri.problem("schema=" + schema + " has {environment} twice");
    } else if (fixed.length() > TableNames.MAX_LENGTH) {
      uri.problem("schema=" + schema + " is longer than " + TableNames.MAX_LENGTH + " letters");
    }
    return schema;
  }

  /** Returns what is the same in all environments. */
  public static String withoutEnvironment(String schema) {
    return schema.replaceFirst("\\Q" + WarehouseDialect.ENVIRONMENT + "\\E", "");
  }
}

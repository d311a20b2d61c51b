package io.tailrace.offline.bigquery;

import java.util.Map;

/** The two names that BigQuery has for some types. Stateless. */
final class BigQueryTypes {
  private static final Map<String, String> STANDARD =
      Map.of("INTEGER", "INT64", "FLOAT", "FLOAT64", "BOOLEAN", "BOOL", "RECORD", "STRUCT");

  private BigQueryTypes() {}

  /** Returns the name that GoogleSQL has for a type, whichever calls have. */
  static String standard(String type) {
    return STANDARD.getOrDefault(type, type);
  }
}

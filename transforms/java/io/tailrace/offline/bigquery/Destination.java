package io.tailrace.offline.bigquery;

import java.io.Serializable;

/**
 * A table that rows are appended to. No two have the same table. Immutable.
 *
 * @param project its project
 * @param dataset its dataset
 * @param table its name
 * @param shape its columns
 */
record Destination(String project, String dataset, String table, Shape shape)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Returns it as one text, which {@link #parse} understands. */
  String text() {
    return project + "/" + dataset + "/" + table + "/" + shape.text();
  }

  static Destination parse(String text) {
    String[] parts = text.split("/", -1);
    return new Destination(parts[0], parts[1], parts[2], Shape.parse(parts[3]));
  }

  /** Returns the name of the stream that every table has. */
  String defaultStream() {
    return "projects/"
        + project
        + "/datasets/"
        + dataset
        + "/tables/"
        + table
        + "/streams/_default";
  }
}

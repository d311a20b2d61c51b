package io.tailrace.offline.bigquery;

import io.tailrace.result.ValueType;
import java.io.Serializable;
import java.util.Locale;

/**
 * Which columns a table of rows has, once for all: a stream is opened for one list of columns, and
 * all who write to a table in one process share it. Immutable.
 *
 * @param kind what its rows are
 * @param stringKeys whether primary keys are strings; otherwise they are integers
 * @param valueType the type of the values; of kinds other than {@link Kind#VALUES} nothing
 */
record Shape(Kind kind, boolean stringKeys, ValueType valueType) implements Serializable {
  private static final long serialVersionUID = 1;

  /** What rows are. */
  enum Kind {
    /** Observations of one feature. */
    VALUES,
    /** Deletions, of all features. */
    DELETIONS,
    /** The log of queries. */
    QUERIES,
    /** The newest observation of each entity and feature of a namespace. */
    LATEST
  }

  static final Shape QUERIES = new Shape(Kind.QUERIES, true, ValueType.STRING);

  static final Shape LATEST = new Shape(Kind.LATEST, true, ValueType.STRING);

  static Shape values(boolean stringKeys, ValueType type) {
    return new Shape(Kind.VALUES, stringKeys, type);
  }

  static Shape deletions(boolean stringKeys) {
    return new Shape(Kind.DELETIONS, stringKeys, ValueType.STRING);
  }

  /** Returns it as one word, which {@link #parse} understands. */
  String text() {
    return (kind + "-" + (stringKeys ? "string" : "int64") + "-" + valueType)
        .toLowerCase(Locale.ROOT);
  }

  static Shape parse(String text) {
    String[] parts = text.split("-", -1);
    return new Shape(
        Kind.valueOf(parts[0].toUpperCase(Locale.ROOT)),
        parts[1].equals("string"),
        ValueType.valueOf(parts[2].toUpperCase(Locale.ROOT)));
  }
}

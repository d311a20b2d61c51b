package io.tailrace.sql.bigquery;

import io.tailrace.sql.ColumnType;
import io.tailrace.sql.Dialect;
import java.util.Optional;

/**
 * What BigQuery calls types, and how it quotes; tables are made by calls, not by statements.
 * Immutable.
 */
public final class BigQueryDialect implements Dialect {
  /** The only one. */
  public static final BigQueryDialect BIGQUERY = new BigQueryDialect();

  private BigQueryDialect() {}

  /**
   * JSON is a text, as it was published: the type {@code JSON} refuses numbers of more than 64 bits
   * and nesting below 500, and forgets spaces, the order of names and those that come twice.
   * BigQuery's JSON functions take such a text as they take a JSON.
   */
  @Override
  public String type(ColumnType type) {
    return switch (type) {
      case TEXT, JSON -> "STRING";
      case BIGINT -> "INT64";
      case DOUBLE -> "FLOAT64";
      case BOOLEAN -> "BOOL";
      case BYTES, UUID -> "BYTES";
      case TIMESTAMP -> "TIMESTAMP";
      case DATE -> "DATE";
      case TEXTS -> "ARRAY<STRING>";
      case FLOATS -> "ARRAY<FLOAT64>";
    };
  }

  @Override
  public Optional<String> stamp() {
    return Optional.of("CURRENT_TIMESTAMP()");
  }

  @Override
  public String quoted(String name) {
    return '`' + name.replace("\\", "\\\\").replace("`", "\\`") + '`';
  }

  @Override
  public String literal(String text) {
    StringBuilder literal = new StringBuilder("'");
    text.chars()
        .forEach(
            c -> {
              if (c == '\\' || c == '\'') {
                literal.append('\\').append((char) c);
              } else if (c < ' ') {
                literal.append(String.format("\\x%02x", c));
              } else {
                literal.append((char) c);
              }
            });
    return literal.append('\'').toString();
  }
}

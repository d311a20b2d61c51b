package io.tailrace.offline.warehouse;

import static java.util.stream.Collectors.joining;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.ResultBucket;
import io.tailrace.offline.bulk.WideLoads.Batch;
import io.tailrace.offline.bulk.WideLoads.Source;
import io.tailrace.parquet.WideLayout;
import io.tailrace.sql.ColumnType;
import java.io.Serializable;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Copies wide files into a table of the session, straight from a bucket that the warehouse itself
 * may read. Implementations are immutable.
 */
public interface WideCopy extends Serializable {
  /** The name of the table. */
  String TABLE = "staged_wide_results";

  /** Files that one statement names: some warehouses take no more. */
  int MOST_FILES = 1_000;

  /**
   * Takes {@code copyFrom} out of a URI: the folder that the warehouse may read.
   *
   * @param schemes of buckets that it reaches, such as {@code s3}
   */
  static Optional<String> takeFolder(EndpointUri uri, Set<String> schemes) {
    Optional<String> given = uri.take("copyFrom");
    if (given.isEmpty()) {
      return given;
    }
    try {
      String folder = new ResultBucket(given.get()).uri();
      if (schemes.contains(folder.substring(0, folder.indexOf(':')))) {
        return Optional.of(folder);
      }
      uri.problem(
          "copyFrom="
              + folder
              + " is no bucket that it reads; such as "
              + schemes.stream().sorted().map(it -> it + "://results").collect(joining(" or ")));
    } catch (IllegalArgumentException e) {
      uri.problem("copyFrom: " + e.getMessage());
    }
    return Optional.empty();
  }

  /** Returns the column that keeps every value of a form, in a warehouse that has wide ones. */
  static ColumnType columnType(WideLayout.Form form) {
    return switch (form) {
      case BOOLEAN -> ColumnType.BOOLEAN;
      case INT32, INT64 -> ColumnType.BIGINT;
      case FLOAT, DOUBLE -> ColumnType.DOUBLE;
      case BYTES -> ColumnType.BYTES;
      case TIMESTAMP -> ColumnType.TIMESTAMP;
      case DATE -> ColumnType.DATE;
      case FLOATS -> ColumnType.FLOATS;
      case TEXT, JSON, OTHER -> ColumnType.TEXT;
    };
  }

  /** Returns the address of the bucket, or of a folder in it, without a slash at the end. */
  String folder();

  /** Returns whether it can copy files with these columns, without a value becoming another. */
  boolean takes(WideLayout layout);

  /**
   * Makes a new table and copies files into it, all or none of them.
   *
   * @param place the table's name, as it stands in a statement
   * @param columns the names of those that are wanted, at least
   * @return what these are called in the table, as it stands in a statement
   * @throws UnavailableException if what the statement needs beside the files can't be written now
   */
  Map<String, String> copy(
      Statements statements, String place, WideLayout layout, List<String> columns, Batch batch)
      throws SQLException, UnavailableException;

  /** Returns whether a file is where the warehouse may read it. */
  default boolean reaches(Source file) {
    return file.uri().startsWith(folder() + "/");
  }

  /** Returns what a file is called within the folder. */
  default String name(Source file) {
    return file.uri().substring(folder().length() + 1);
  }
}

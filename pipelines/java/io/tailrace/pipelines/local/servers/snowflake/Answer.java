package io.tailrace.pipelines.local.servers.snowflake;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.time.Instant;
import java.time.LocalDate;
import java.time.OffsetDateTime;
import java.time.temporal.ChronoUnit;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Writes answers as Snowflake's driver reads them. Stateless and thread-safe. */
final class Answer {
  static final ObjectMapper JSON = new ObjectMapper();

  static final long SELECT = 0x1000;
  static final long INSERT = 0x3100;
  static final long UPDATE = 0x3200;
  static final long DELETE = 0x3300;
  static final long MERGE = 0x3400;
  static final long COPY = 0x3600;
  static final long TCL = 0x5000;
  static final long DDL = 0x6000;

  private Answer() {}

  static ObjectNode success(ObjectNode data) {
    ObjectNode answer = JSON.createObjectNode();
    answer.set("data", data);
    answer.put("success", true);
    answer.putNull("code");
    answer.putNull("message");
    return answer;
  }

  static ObjectNode failure(String code, String sqlState, String message) {
    ObjectNode answer = JSON.createObjectNode();
    ObjectNode data = answer.putObject("data");
    data.put("errorCode", code);
    data.put("sqlState", sqlState);
    data.put("queryId", "01234567-0000-0000-0000-000000000000");
    answer.put("success", false);
    answer.put("code", code);
    answer.put("message", message);
    return answer;
  }

  /** Returns a time as it stands in an answer. */
  static String seconds(Instant time) {
    return time.getEpochSecond() + "." + String.format(Locale.ROOT, "%09d", time.getNano());
  }

  /** Returns rows of texts, and of times in columns that are called so. */
  static ObjectNode rows(long type, List<String> columns, List<List<String>> rows) {
    ObjectNode data = head(type);
    ArrayNode types = data.putArray("rowtype");
    columns.forEach(
        column -> {
          boolean isTime = column.endsWith("_on");
          type(types, column, isTime ? "timestamp_ltz" : "text", isTime ? 9 : 0);
        });
    ArrayNode values = data.putArray("rowset");
    for (List<String> row : rows) {
      ArrayNode line = values.addArray();
      row.forEach(line::add);
    }
    return counted(data, rows.size());
  }

  /** Returns how many rows were changed. */
  static ObjectNode changed(String verb, long rows) {
    ObjectNode data =
        head(
            switch (verb) {
              case "UPDATE" -> UPDATE;
              case "DELETE" -> DELETE;
              case "MERGE" -> MERGE;
              default -> INSERT;
            });
    String what =
        switch (verb) {
          case "UPDATE" -> "updated";
          case "DELETE" -> "deleted";
          default -> "inserted";
        };
    type(data.putArray("rowtype"), "number of rows " + what, "fixed", 0);
    data.putArray("rowset").addArray().add(Long.toString(rows));
    return counted(data, 1);
  }

  static ObjectNode done(long type) {
    return rows(type, List.of("status"), List.of(List.of("Statement executed successfully.")));
  }

  static ObjectNode result(ResultSet found) throws SQLException {
    ObjectNode data = head(SELECT);
    ResultSetMetaData facts = found.getMetaData();
    ArrayNode types = data.putArray("rowtype");
    for (int i = 1; i <= facts.getColumnCount(); i++) {
      String type = typeName(facts.getColumnTypeName(i));
      type(
          types,
          facts.getColumnLabel(i).toUpperCase(Locale.ROOT),
          type,
          type.equals("timestamp_ltz") ? 6 : 0);
    }
    ArrayNode rows = data.putArray("rowset");
    while (found.next()) {
      ArrayNode row = rows.addArray();
      for (int i = 1; i <= facts.getColumnCount(); i++) {
        String value = value(found, i, facts.getColumnTypeName(i));
        if (value == null) {
          row.addNull();
        } else {
          row.add(value);
        }
      }
    }
    return counted(data, rows.size());
  }

  private static ObjectNode head(long type) {
    ObjectNode data = JSON.createObjectNode();
    data.putArray("parameters");
    data.put("queryId", "01234567-0000-0000-0000-000000000000");
    data.put("sqlState", "00000");
    data.put("statementTypeId", type);
    data.put("queryResultFormat", "json");
    return data;
  }

  private static ObjectNode counted(ObjectNode data, int rows) {
    data.put("total", rows);
    data.put("returned", rows);
    return data;
  }

  private static void type(ArrayNode types, String name, String type, int scale) {
    ObjectNode column = types.addObject();
    column.put("name", name);
    column.put("type", type);
    column.put("nullable", true);
    column.put("scale", scale);
    column.put("precision", type.equals("fixed") ? 38 : 9);
    column.put("length", 16_777_216);
    column.put("byteLength", 16_777_216);
  }

  private static String typeName(String duckDb) {
    return switch (duckDb) {
      case "BIGINT", "INTEGER", "HUGEINT", "UBIGINT", "SMALLINT", "TINYINT" -> "fixed";
      case "DOUBLE", "FLOAT" -> "real";
      case "BOOLEAN" -> "boolean";
      case "BLOB" -> "binary";
      case "TIMESTAMP WITH TIME ZONE" -> "timestamp_ltz";
      case "DATE" -> "date";
      case "JSON" -> "variant";
      default -> duckDb.startsWith("DECIMAL") ? "fixed" : "text";
    };
  }

  private static @Nullable String value(ResultSet row, int column, String type)
      throws SQLException {
    Object value = row.getObject(column);
    if (value == null) {
      return null;
    }
    return switch (type) {
      case "BOOLEAN" -> row.getBoolean(column) ? "1" : "0";
      case "BLOB" -> HexFormat.of().withUpperCase().formatHex(row.getBytes(column));
      case "DATE" -> Long.toString(row.getObject(column, LocalDate.class).toEpochDay());
      case "TIMESTAMP WITH TIME ZONE" ->
          BigDecimal.valueOf(
                  ChronoUnit.MICROS.between(
                      Instant.EPOCH, row.getObject(column, OffsetDateTime.class).toInstant()),
                  6)
              .toPlainString();
      default -> row.getString(column);
    };
  }
}

package io.tailrace.offline.bigquery;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.api.services.bigquery.model.TableRow;
import io.tailrace.offline.bigquery.AppendedRow.Asked;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.LooseRow.State;
import io.tailrace.parquet.QueryRow;
import io.tailrace.result.ValueType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * Writes rows as Beam's sink takes them: times as microseconds, days as days since 1970, texts of
 * JSON as they are, vectors as lists of doubles. Stateless and thread-safe.
 */
final class RowFormat {
  private RowFormat() {}

  /** Returns a row with the columns of its table, without those that are null. */
  static TableRow of(AppendedRow row) {
    if (row.content() instanceof Asked asked) {
      return query(asked.row());
    }
    Observed observed = (Observed) row.content();
    return row.destination().shape().kind() == Shape.Kind.LATEST
        ? latest(observed)
        : observation(observed, row.destination().shape().kind());
  }

  private static TableRow query(QueryRow query) {
    TableRow row = new TableRow();
    row.putAll(query.texts());
    row.putAll(query.times());
    row.putAll(query.lists());
    return row;
  }

  private static TableRow observation(Observed observed, Shape.Kind kind) {
    LooseRow from = observed.row();
    TableRow row = new TableRow();
    row.set("observation_id", from.key().id());
    row.set("pkey", observed.stringKeys() ? text(from.key().text()) : (Object) from.key().number());
    row.set("observed_at", from.observedAt());
    setSource(row, from.source());
    if (kind == Shape.Kind.DELETIONS) {
      row.set("namespace", from.name().namespace());
      row.set("feature", from.name().feature());
    } else {
      row.set("deleted", from.value().state() == State.DELETED);
      value(observed).ifPresent(value -> row.set("value", value));
    }
    return row;
  }

  private static TableRow latest(Observed observed) {
    LooseRow from = observed.row();
    TableRow row = new TableRow();
    row.set("pkey", keyText(observed));
    row.set("key_type", observed.stringKeys() ? "string" : "int64");
    // The row of the entity itself is that of the empty feature.
    LooseRow.Name name = from.name();
    row.set("feature", name.feature().equals(name.namespace() + ".") ? "" : name.feature());
    row.set("observed_at", from.observedAt());
    row.set("deleted", from.value().state() == State.DELETED);
    setSource(row, from.source());
    observed
        .valueType()
        .ifPresent(
            type -> {
              row.set("value_type", type.name().toLowerCase(Locale.ROOT));
              value(observed).ifPresent(value -> row.set(TableDesign.latestColumn(type), value));
            });
    return row;
  }

  /** Returns the primary key of a row as text. */
  static String keyText(Observed observed) {
    return observed.stringKeys()
        ? text(observed.row().key().text())
        : Long.toString(observed.row().key().number());
  }

  private static void setSource(TableRow row, LooseRow.Source source) {
    row.set("operation_id", text(source.operationId()));
    if (source.resolverFqn().length > 0) {
      row.set("resolver_fqn", text(source.resolverFqn()));
    }
    if (source.deploymentId().length > 0) {
      row.set("deployment_id", text(source.deploymentId()));
    }
  }

  private static Optional<Object> value(Observed observed) {
    LooseRow.Value value = observed.row().value();
    if (value.state() != State.VALUE) {
      return Optional.empty();
    }
    return observed
        .valueType()
        .map(
            type ->
                switch (type) {
                  case INT64, TIMESTAMP, DATE -> value.number();
                  case BOOL -> value.number() != 0;
                  case FLOAT64 -> Double.longBitsToDouble(value.number());
                  case STRING, JSON -> text(value.bytes());
                  case BYTES -> value.bytes();
                  case VECTOR -> vector(value.bytes());
                });
  }

  private static List<Double> vector(byte[] bytes) {
    ByteBuffer numbers = ByteBuffer.wrap(bytes);
    List<Double> vector = new ArrayList<>(bytes.length / Float.BYTES);
    while (numbers.hasRemaining()) {
      vector.add((double) numbers.getFloat());
    }
    return vector;
  }

  private static String text(byte[] bytes) {
    return new String(bytes, UTF_8);
  }

  /** Returns the bytes of a value as they are in a cell, by which two of one time are compared. */
  static byte[] payload(LooseRow.Value value, Optional<ValueType> type) {
    if (value.state() != State.VALUE || type.isEmpty()) {
      return new byte[0];
    }
    return switch (type.get()) {
      case INT64, TIMESTAMP, FLOAT64 ->
          ByteBuffer.allocate(Long.BYTES).putLong(value.number()).array();
      case DATE -> ByteBuffer.allocate(Integer.BYTES).putInt((int) value.number()).array();
      case BOOL -> new byte[] {(byte) value.number()};
      case STRING, JSON, BYTES, VECTOR -> value.bytes();
    };
  }
}

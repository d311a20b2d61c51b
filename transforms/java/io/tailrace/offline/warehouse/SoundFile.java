package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.LooseRows;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationIds;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Table;
import io.tailrace.stage.InvalidMessageException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/**
 * A file with one plain row, which every warehouse can copy while it can read the stage: so it
 * tells a file that can't be copied from a stage that can't be read, whatever the warehouse's words
 * are. Stateless and thread-safe.
 */
final class SoundFile {
  /** None that is searched for. */
  private static final String SUFFIX = ".sound";

  private static final Optional<ValueType> VALUES = Optional.of(ValueType.INT64);
  private static final byte[] NONE = {};

  private SoundFile() {}

  /**
   * Stages one beside a file that can't be copied, and copies it into a table of its own.
   *
   * @throws SQLException if it can't be copied either
   */
  static void copy(
      Statements statements, WarehouseDialect dialect, Stage.Connection stage, StagedFile beside)
      throws SQLException, UnavailableException {
    String environment = beside.type().environment();
    String name = beside.name() + "." + UUID.randomUUID() + SUFFIX;
    byte[] bytes = dialect.form().of(file(environment, beside), name);
    StagedFile file =
        new StagedFile(
            beside.stage(),
            name,
            new StagedFile.Type(environment, Kind.OBSERVATIONS, true, VALUES),
            new StagedFile.Size(bytes.length, 1, 0),
            beside.origin());
    Table rows = WarehouseTables.staged(WarehouseTables.rows(true, VALUES));
    Table table =
        new Table(
            "staged_sound_file", rows.columns().stream().map(dialect::staged).toList(), rows.key());
    String place = dialect.temporary(dialect.schema(environment), table.name());
    stage.put(Map.of(name, bytes));
    try {
      for (String statement : dialect.createTemporary(place, table)) {
        statements.execute(statement);
      }
      dialect.copy(statements, stage, place, List.of(file));
      statements.execute("DROP TABLE " + place);
    } finally {
      stage.delete(List.of(name));
    }
  }

  private static ObservationFile file(String environment, StagedFile beside) {
    String feature = "tailrace.sound";
    byte[] key = "sound".getBytes(StandardCharsets.UTF_8);
    LooseRow row =
        new LooseRow(
            new LooseRow.Name("tailrace", feature),
            new LooseRow.Key(ObservationIds.of("sound", feature, "sound", 0), key, 0),
            0,
            new LooseRow.Value(LooseRow.State.VALUE, 1, NONE),
            new LooseRow.Source(key, NONE, key));
    try {
      return FileDecoder.decode(
          beside.origin().withPayload(LooseRows.file(environment, true, VALUES, List.of(row))));
    } catch (IOException e) {
      throw new UncheckedIOException("one row has room in a file", e);
    } catch (InvalidMessageException e) {
      throw new IllegalStateException("a file of one plain row can be decoded", e);
    }
  }
}

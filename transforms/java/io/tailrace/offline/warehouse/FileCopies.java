package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.SomeRows;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.Quoted;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Copies the files of a load into tables of the session, and remembers from one attempt to the next
 * what can't be: files that are not there, files that the warehouse refuses, and rows that it can't
 * hold, which are left out of a file that is staged in the place of theirs. Not thread-safe.
 */
final class FileCopies {
  /** What a file is called that has some rows of another; none that is searched for. */
  private static final String SOME_ROWS = ".some-rows";

  /** What the ledger keeps of a warehouse's words, which may have the trace of a stack. */
  private static final int MAX_SENTENCE_BYTES = 4_000;

  private final WarehouseServer server;
  private final WarehouseDialect dialect;
  private final Stage.Connection stage;
  private final Map<String, String> refused = new HashMap<>();
  private final Set<String> missing = new HashSet<>();
  private final Map<String, Part> parts = new HashMap<>();

  /**
   * The rows of a file that are copied.
   *
   * @param file the one that has them alone
   * @param rows their numbers in the file that they are from
   */
  private record Part(StagedFile file, List<Integer> rows, List<Rejected> rejected) {}

  FileCopies(WarehouseServer server, WarehouseDialect dialect, Stage.Connection stage) {
    this.server = server;
    this.dialect = dialect;
    this.stage = stage;
  }

  /** Copies files, tells what can't be copied of them, and returns how many rows should be. */
  long copy(Statements statements, StagedRows rows, List<StagedFile> files, LoadTally tally)
      throws SQLException, UnavailableException {
    copyGood(
        statements,
        rows,
        files.stream()
            .filter(file -> !refused.containsKey(file.name()) && !missing.contains(file.name()))
            .toList());
    long copied = 0;
    for (StagedFile file : files) {
      Part part = parts.get(file.name());
      if (missing.contains(file.name())) {
        tally.miss(file);
      } else if (refused.containsKey(file.name())) {
        tally.refuse(file.name(), String.valueOf(refused.get(file.name())));
      } else if (part != null) {
        tally.leaveOut(file, part.file.name(), part.rows, part.rejected);
        copied += part.rows.size();
      } else {
        copied += file.size().rows();
      }
    }
    return copied;
  }

  /** Copies files; those that can't be are found by dividing. */
  private void copyGood(Statements statements, StagedRows rows, List<StagedFile> files)
      throws SQLException, UnavailableException {
    List<StagedFile> present = new ArrayList<>();
    for (StagedFile file : files) {
      Part part = parts.get(file.name());
      if (part == null) {
        present.add(file);
      } else if (!part.rows.isEmpty()) {
        present.add(part.file);
      }
    }
    if (present.isEmpty()) {
      return;
    }
    try {
      rows.copy(statements, stage, present);
    } catch (SQLException e) {
      if (server.meaning(e) != Meaning.CONTENT) {
        throw e;
      }
      if (files.size() > 1) {
        copyGood(statements, rows, files.subList(0, files.size() / 2));
        copyGood(statements, rows, files.subList(files.size() / 2, files.size()));
      } else if (!parts.containsKey(files.get(0).name())) {
        divide(statements, files.get(0), e);
        if (parts.containsKey(files.get(0).name())) {
          copyGood(statements, rows, files);
        }
      } else {
        parts.remove(files.get(0).name());
        refuseCopy(statements, files.get(0), e);
      }
    }
  }

  private void refuse(StagedFile file, String why) {
    refused.put(
        file.name(), Quoted.cut("the staged file " + file.name() + " " + why, MAX_SENTENCE_BYTES));
  }

  /**
   * Refuses a file that can't be copied while others can: where a sound one can't be either, it is
   * the stage that the warehouse can't read, and nobody's content.
   */
  private void refuseCopy(Statements statements, StagedFile file, SQLException refusal)
      throws SQLException, UnavailableException {
    try {
      SoundFile.copy(statements, dialect, stage, file);
    } catch (SQLException e) {
      if (server.meaning(e) != Meaning.CONTENT) {
        throw e;
      }
      throw new UnavailableException(
          server.text()
              + ": no file can be copied from the stage "
              + file.stage()
              + ", not even one with a single plain row: "
              + server.message(e)
              + "; let the warehouse read it",
          e);
    }
    refuse(file, "can't be copied: " + server.message(refusal));
  }

  /** Finds the rows of a file that the warehouse can't hold, and stages the others alone. */
  private void divide(Statements statements, StagedFile file, SQLException refusal)
      throws SQLException, UnavailableException {
    Optional<byte[]> bytes = stage.read(file.name());
    if (bytes.isEmpty()) {
      missing.add(file.name());
      return;
    }
    try {
      ObservationFile decoded = FileDecoder.decode(file.origin().withPayload(bytes.get()));
      Map<String, List<Integer>> bad = new LinkedHashMap<>();
      List<Integer> good = new ArrayList<>();
      if (decoded.kind() == Kind.OBSERVATIONS && decoded.valueType().isPresent()) {
        sort(decoded.rows(), decoded.valueType().get(), good, bad);
      }
      if (bad.isEmpty()) {
        refuseCopy(statements, file, refusal);
        return;
      }
      String name = file.name() + SOME_ROWS;
      byte[] alone =
          good.isEmpty() ? new byte[0] : dialect.form().of(some(file, decoded, good), name);
      if (!good.isEmpty()) {
        stage.put(Map.of(name, alone));
      }
      StagedFile others =
          new StagedFile(
              file.stage(),
              name,
              file.type(),
              new StagedFile.Size(alone.length, good.size(), file.size().publishedFrom()),
              file.origin());
      List<Rejected> rejected = new ArrayList<>();
      bad.forEach(
          (why, numbers) ->
              rejected.add(
                  new Rejected(0, Reason.INVALID_VALUE, RowNumbers.of(numbers), "value " + why)));
      parts.put(file.name(), new Part(others, List.copyOf(good), rejected));
    } catch (InvalidMessageException | IOException e) {
      refuse(file, "is damaged: " + e.getMessage());
    }
  }

  private static ObservationFile some(StagedFile file, ObservationFile decoded, List<Integer> rows)
      throws IOException, InvalidMessageException {
    return FileDecoder.decode(
        file.origin()
            .withPayload(
                SomeRows.of(
                    List.of(
                        new SomeRows.Part(
                            decoded, rows.stream().mapToInt(Integer::intValue).toArray())))));
  }

  private void sort(
      ObservationRows rows, ValueType type, List<Integer> good, Map<String, List<Integer>> bad) {
    for (int row = 0; row < rows.count(); row++) {
      Optional<String> why =
          rows.hasValue(row) ? dialect.whyNotStored(type, rows, row) : Optional.empty();
      if (why.isPresent()) {
        bad.computeIfAbsent(why.get(), unused -> new ArrayList<>()).add(row);
      } else {
        good.add(row);
      }
    }
  }

  /** Deletes the files that were staged in the place of others. */
  void clean() throws UnavailableException {
    List<String> names =
        parts.values().stream()
            .filter(part -> !part.rows.isEmpty())
            .map(part -> part.file.name())
            .toList();
    if (!names.isEmpty()) {
      stage.delete(names);
    }
  }
}

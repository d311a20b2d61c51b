package io.tailrace.offline.warehouse;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.Finishing;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.Loader;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.parquet.ObservationFile.Kind;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;

/**
 * Loads staged files in a number of statements that grows with the types of their rows and not with
 * their features: for each type of keys and values, files are copied into a table of the session,
 * surveyed, and merged into the table of that type, within the times of their rows; all merges and
 * the ledger are one transaction where the warehouse has them, behind a row that each load updates.
 * What creates or looks comes before it. Not thread-safe.
 *
 * <p>Rows of features whose view has another type or owner are taken out, and told. A type whose
 * table refuses the merge is loaded without: its rows are told as {@code TABLE_REFUSES}. Files that
 * can't be copied are found by dividing.
 */
public final class WarehouseLoader implements Loader {
  private final WarehouseSession session;
  private final WarehouseDialect dialect;
  private final WarehouseCatalog catalog;
  private final WarehouseLedger ledger;
  private final WarehouseLedger ofResults;
  // Tables that refuse their rows, and were not seen to take any since.
  private final Set<String> knownSick = new HashSet<>();

  private final Latest latest;

  /** Whether the newest observations are kept beside history. */
  public enum Latest {
    /** In a table of their own, with a view for each namespace. */
    KEPT,
    /** They are not. */
    NONE;

    /** Takes the parameter out of a URI, whose other parts and problems are left to the caller. */
    public static Latest take(EndpointUri uri) {
      return switch (uri.take("latest").orElse("false")) {
        case "true" -> KEPT;
        case "false" -> NONE;
        default -> {
          uri.problem("latest is true or false");
          yield NONE;
        }
      };
    }
  }

  /** Loads in a session, which is closed with the loader. */
  public WarehouseLoader(WarehouseSession session, WarehouseDialect dialect, Latest latest) {
    this.session = session;
    this.dialect = dialect;
    this.latest = latest;
    this.catalog = new WarehouseCatalog(session, dialect);
    this.ledger = new WarehouseLedger(dialect, catalog, WarehouseTables.LEDGER);
    this.ofResults = new WarehouseLedger(dialect, catalog, WarehouseTables.BULK_LEDGER);
  }

  /** The table of a type refuses its rows: the load goes on without it. */
  private static final class SickException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final transient StagedRows rows;

    SickException(StagedRows rows, String why, SQLException cause) {
      super(why, cause);
      this.rows = rows;
    }
  }

  @Override
  public Inserted load(Stage.Connection stage, List<StagedFile> files) throws UnavailableException {
    return load(stage, files, Optional.empty());
  }

  @Override
  public Inserted load(Stage.Connection stage, List<StagedFile> files, Finishing finishing)
      throws UnavailableException {
    return load(stage, files, Optional.of(finishing));
  }

  private Inserted load(
      Stage.Connection stage, List<StagedFile> files, Optional<Finishing> finishing)
      throws UnavailableException {
    if (files.isEmpty()) {
      return Inserted.NOTHING;
    }
    Load load = new Load(stage, files, finishing);
    Inserted inserted = run(load);
    if (inserted.isWhole()) {
      finishing.ifPresent(Finishing::finish);
    }
    load.copies.clean();
    return inserted;
  }

  private Inserted run(Load load) throws UnavailableException {
    Retry patience = Retry.of(session.server().text(), session.server().timeouts().retryFor());
    while (true) {
      try {
        return catalog.require(load::run);
      } catch (SickException e) {
        catalog.forget();
        load.giveUpOn(e, patience);
      }
    }
  }

  /** One load, which may need several attempts. */
  private final class Load {
    private final List<StagedFile> files;
    private final String environment;
    private final Map<StagedFile.Type, String> sick = new HashMap<>();
    private final FileCopies copies;
    private final Optional<Finishing> finishing;
    // What was sent to be committed, by the id of the attempt: the answer may be lost.
    private final Map<String, Inserted> sent = new LinkedHashMap<>();

    Load(Stage.Connection stage, List<StagedFile> files, Optional<Finishing> finishing) {
      this.finishing = finishing;
      this.copies = new FileCopies(session.server(), dialect, stage);
      this.files = files;
      this.environment = files.get(0).type().environment();
    }

    /** Leaves a table out that refuses its rows for as long as there is patience. */
    void giveUpOn(SickException refusal, Retry patience) throws UnavailableException {
      String table = refusal.rows.table().name();
      String why = String.valueOf(refusal.getMessage());
      if (!knownSick.contains(table)) {
        try {
          patience.pause(table + " refuses its rows: " + why);
          return;
        } catch (UnavailableException e) {
          if (Thread.currentThread().isInterrupted()) {
            throw e;
          }
          knownSick.add(table);
        }
      }
      sick.put(refusal.rows.type(), why);
    }

    Inserted run(Statements statements) throws SQLException, UnavailableException {
      catalog.ensure(
          statements,
          environment,
          finishing.map(unused -> List.of(WarehouseTables.BULK_LEDGER)).orElse(List.of()));
      for (Map.Entry<String, Inserted> before : sent.entrySet()) {
        if (ledger.isCommitted(statements, environment, before.getKey())) {
          return before.getValue();
        }
      }
      LoadTally tally = new LoadTally(files);
      tally.tellAgain(
          ledger.find(statements, environment, files.stream().map(StagedFile::name).toList()));
      Map<StagedRows, StagedRows.Survey> staged = new LinkedHashMap<>();
      for (Map.Entry<StagedFile.Type, List<StagedFile>> each : tally.byType().entrySet()) {
        StagedRows rows = new StagedRows(dialect, dialect.schema(environment), each.getKey());
        staged.put(rows, stage(statements, rows, each.getValue(), tally));
      }
      refuse(statements, staged, tally);
      String loadId = UUID.randomUUID().toString();
      dialect.transaction(
          statements,
          () -> {
            dialect.lock(
                statements,
                dialect.place(dialect.schema(environment), WarehouseTables.LOCK.name()));
            for (Map.Entry<StagedRows, StagedRows.Survey> each : staged.entrySet()) {
              merge(statements, each.getKey(), each.getValue(), tally);
            }
            // First, as where each statement is committed at once an answer is lost here.
            sent.put(loadId, tally.inserted());
            ledger.enter(statements, environment, loadId, tally.entries());
            if (finishing.isPresent() && tally.inserted().isWhole()) {
              ofResults.replace(statements, environment, loadId, finishing.get().entries());
            }
          });
      return tally.inserted();
    }

    private StagedRows.Survey stage(
        Statements statements, StagedRows rows, List<StagedFile> some, LoadTally tally)
        throws SQLException, UnavailableException {
      rows.create(statements);
      long expected = copies.copy(statements, rows, some, tally);
      StagedRows.Survey survey = rows.survey(statements);
      if (survey.rows() != expected) {
        throw new UnavailableException(
            session.server().text()
                + ": "
                + survey.rows()
                + " rows were copied of files that have "
                + expected);
      }
      return survey;
    }

    /** Creates what rows need, and takes those out that have no table. */
    private void refuse(
        Statements statements, Map<StagedRows, StagedRows.Survey> staged, LoadTally tally)
        throws SQLException, UnavailableException {
      List<FeatureTable> features = new ArrayList<>();
      staged.values().forEach(survey -> features.addAll(survey.features().keySet()));
      Map<FeatureTable, Conflict> conflicts = new HashMap<>();
      catalog
          .create(statements, environment, features)
          .forEach(conflict -> conflicts.put(conflict.table(), conflict));
      if (latest == Latest.KEPT) {
        catalog.createLatest(
            statements,
            environment,
            features.stream().map(it -> it.feature().namespace()).distinct().toList());
      }
      for (Map.Entry<StagedRows, StagedRows.Survey> each : staged.entrySet()) {
        String why = sick.get(each.getKey().type());
        Map<Feature, Conflict> refused = new LinkedHashMap<>();
        for (FeatureTable feature : each.getValue().features().keySet()) {
          Conflict conflict = why == null ? conflicts.get(feature) : Conflict.ofTable(feature, why);
          if (conflict != null) {
            refused.put(feature.feature(), conflict);
          }
        }
        each.getKey()
            .takeOut(statements, refused.values())
            .forEach((feature, rows) -> tally.reject(requireNonNull(refused.get(feature)), rows));
        if (why != null && each.getKey().type().kind() == Kind.QUERIES) {
          tally.rejectAll(each.getKey().type(), each.getKey().table().name(), why);
        }
        tally.countTables(each.getValue().features().size() - refused.size());
      }
    }

    private void merge(
        Statements statements, StagedRows rows, StagedRows.Survey survey, LoadTally tally)
        throws SQLException {
      if (sick.containsKey(rows.type()) || survey.rows() == 0) {
        return;
      }
      try {
        long inserted = rows.merge(statements, dialect.schema(environment), survey.times(), latest);
        tally.count(rows.type().kind(), inserted, survey.rows() - rows.takenOut() - inserted);
        knownSick.remove(rows.table().name());
      } catch (SQLException e) {
        if (session.server().meaning(e).mayWork()) {
          throw e;
        }
        throw new SickException(rows, session.server().message(e), e);
      }
    }
  }

  @Override
  public Ledger ledger() {
    return ledger;
  }

  @Override
  public void close() {
    session.close();
  }
}

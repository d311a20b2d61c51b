package io.tailrace.offline.warehouse;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog.Conflict;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.bulk.WideLoads;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.offline.staging.StagedFile;
import io.tailrace.offline.warehouse.WarehouseLoader.Latest;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.parquet.WideLayout;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.result.ValueType;
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
 * Loads wide files that the warehouse itself can read: it copies them into a table of the session,
 * from there makes the rows of features, those of each type in a table, and merges these as staged
 * files are merged, all in one transaction with the ledger where it has them. Columns of features
 * whose view has another type or owner, or whose table refuses its rows, are left. Not thread-safe.
 */
final class WarehouseWideLoads implements WideLoads {
  /**
   * How much is copied at once: some files of the size that warehouses like, or many small ones.
   */
  private static final Most MOST = new Most(WideCopy.MOST_FILES, 2L << 30);

  /** Features whose rows are made in one statement, which may have a megabyte. */
  private static final int FEATURES_TOGETHER = 200;

  private final WarehouseSession session;
  private final WarehouseBulk bulk;
  private final WideCopy copy;
  private final WarehouseCatalog catalog;
  private final WarehouseLedger ledger;

  /** Loads in a session, which is closed with it. */
  WarehouseWideLoads(
      WarehouseSession session,
      WarehouseBulk bulk,
      WideCopy copy,
      WarehouseCatalog catalog,
      WarehouseLedger ledger) {
    this.session = session;
    this.bulk = bulk;
    this.copy = copy;
    this.catalog = catalog;
    this.ledger = ledger;
  }

  @Override
  public Most most() {
    return MOST;
  }

  @Override
  public Loaded load(Batch batch) throws UnavailableException {
    WideLayout layout = batch.columns().layout();
    List<FeatureColumn> plain =
        batch.contents().mapping().features().stream()
            .filter(column -> WideRowsSql.isPlain(column, layout))
            .toList();
    if (plain.isEmpty()
        || layout.hasTwins()
        || !WideRowsSql.hasPlainKeys(batch.contents(), batch.stringKeys(), layout)
        || !batch.files().stream().allMatch(copy::reaches)
        || !copy.takes(layout)) {
      return Loaded.nothing(batch.contents().mapping().features());
    }
    Load load = new Load(batch, plain);
    while (true) {
      try {
        return catalog.require(load::run);
      } catch (SickException e) {
        // Its rows are tried, told and waited for as those of staged files are.
        catalog.forget();
        load.sick.add(e.type);
      }
    }
  }

  /** The table of a type refuses its rows. */
  private static final class SickException extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final ValueType type;

    SickException(ValueType type, SQLException cause) {
      super(cause);
      this.type = type;
    }
  }

  /** One load, which may need several attempts. */
  private final class Load {
    private final Batch batch;
    private final List<FeatureColumn> plain;
    private final WarehouseDialect dialect = bulk.dialect();
    private final String environment;
    private final String schema;
    private final Set<ValueType> sick = new HashSet<>();
    // What was sent to be committed, by the id of the attempt: the answer may be lost.
    private final Map<String, Loaded> sent = new LinkedHashMap<>();

    Load(Batch batch, List<FeatureColumn> plain) {
      this.batch = batch;
      this.plain = plain;
      this.environment = batch.contents().environment();
      this.schema = dialect.schema(environment);
    }

    Loaded run(Statements statements) throws SQLException, UnavailableException {
      catalog.ensure(statements, environment, List.of(WarehouseTables.BULK_LEDGER));
      for (Map.Entry<String, Loaded> before : sent.entrySet()) {
        if (ledger.isCommitted(statements, environment, before.getKey())) {
          return before.getValue();
        }
      }
      String place = dialect.temporary(schema, WideCopy.TABLE);
      Optional<WideRowsSql> wide = copied(statements, place);
      if (wide.isEmpty()) {
        return Loaded.nothing(batch.contents().mapping().features());
      }
      Map<StagedRows, StagedRows.Survey> staged = new LinkedHashMap<>();
      for (Map.Entry<ValueType, List<FeatureColumn>> each : byType().entrySet()) {
        StagedRows rows = rows(each.getKey());
        rows.create(statements);
        for (List<FeatureColumn> some : Lists.partition(each.getValue(), FEATURES_TOGETHER)) {
          rows.insert(statements, into -> wide.get().insertion(into, batch.stringKeys(), some));
        }
        staged.put(rows, rows.survey(statements));
      }
      statements.execute("DROP TABLE " + place);
      Set<FeatureColumn> left = leave(statements, staged);
      List<Ledger.Entry> entries = left.isEmpty() ? batch.closing().entries() : List.of();
      return merge(statements, staged, left, entries);
    }

    private StagedRows rows(ValueType type) {
      return new StagedRows(
          dialect,
          schema,
          new StagedFile.Type(
              environment, Kind.OBSERVATIONS, batch.stringKeys(), Optional.of(type)));
    }

    /** Copies the files; empty: they can't be copied, or their keys and times are not all right. */
    private Optional<WideRowsSql> copied(Statements statements, String place)
        throws SQLException, UnavailableException {
      List<String> columns = new ArrayList<>();
      columns.add(batch.contents().mapping().keyColumn());
      batch.contents().mapping().time().named().ifPresent(columns::add);
      plain.forEach(column -> columns.add(column.column()));
      Map<String, String> names;
      try {
        names =
            copy.copy(
                statements,
                place,
                batch.columns().layout(),
                columns.stream().distinct().toList(),
                batch);
      } catch (SQLException e) {
        if (session.server().meaning(e) != Meaning.CONTENT) {
          throw e;
        }
        // Whatever it is, it is found when the rows are decoded.
        return Optional.empty();
      }
      WideRowsSql wide = new WideRowsSql(dialect, batch.contents(), place, names);
      long expected = batch.files().stream().mapToLong(Source::rows).sum();
      return statements
              .query(
                  wide.survey(batch.stringKeys()),
                  row ->
                      row.getLong(1) == expected
                          // Of two rows of one key and time the greater cell stands.
                          && row.getLong(2) == expected
                          && row.getLong(3) == expected
                          && row.getLong(4) == expected
                          && row.getLong(5) == 0
                          && isTime(row.getLong(6))
                          && isTime(row.getLong(7))
                          && row.getLong(7) <= batch.observedUntil())
              .get(0)
          ? Optional.of(wide)
          : Optional.empty();
    }

    private boolean isTime(long micros) {
      return ObservationSchema.isTime(micros);
    }

    private Map<ValueType, List<FeatureColumn>> byType() {
      Map<ValueType, List<FeatureColumn>> byType = new LinkedHashMap<>();
      for (FeatureColumn column : plain) {
        if (!sick.contains(column.kind().type())) {
          byType.computeIfAbsent(column.kind().type(), unused -> new ArrayList<>()).add(column);
        }
      }
      return byType;
    }

    /** Creates what rows need, takes those out that have no table, and returns what is left. */
    private Set<FeatureColumn> leave(
        Statements statements, Map<StagedRows, StagedRows.Survey> staged)
        throws SQLException, UnavailableException {
      List<FeatureTable> features = new ArrayList<>();
      staged.values().forEach(survey -> features.addAll(survey.features().keySet()));
      Map<Feature, Conflict> conflicts = new HashMap<>();
      catalog
          .create(statements, environment, features)
          .forEach(conflict -> conflicts.put(conflict.table().feature(), conflict));
      if (bulk.latest() == Latest.KEPT) {
        catalog.createLatest(
            statements,
            environment,
            features.stream().map(it -> it.feature().namespace()).distinct().toList());
      }
      for (StagedRows rows : staged.keySet()) {
        rows.takeOut(
            statements,
            conflicts.values().stream()
                .filter(conflict -> conflict.table().valueType().equals(rows.type().valueType()))
                .toList());
      }
      Set<FeatureColumn> left = new HashSet<>(batch.contents().mapping().features());
      plain.forEach(
          column -> {
            Feature feature = new Feature(column.namespace(), column.feature());
            if (!sick.contains(column.kind().type()) && !conflicts.containsKey(feature)) {
              left.remove(column);
            }
          });
      return left;
    }

    private Loaded merge(
        Statements statements,
        Map<StagedRows, StagedRows.Survey> staged,
        Set<FeatureColumn> left,
        List<Ledger.Entry> entries)
        throws SQLException {
      String loadId = UUID.randomUUID().toString();
      long[] counts = new long[2];
      dialect.transaction(
          statements,
          () -> {
            dialect.lock(statements, dialect.place(schema, WarehouseTables.LOCK.name()));
            for (Map.Entry<StagedRows, StagedRows.Survey> each : staged.entrySet()) {
              if (each.getValue().rows() > 0) {
                long inserted = merge(statements, each.getKey(), each.getValue());
                counts[0] += inserted;
                counts[1] += each.getValue().rows() - each.getKey().takenOut() - inserted;
              }
            }
            if (!entries.isEmpty()) {
              ledger.replace(statements, environment, loadId, entries);
            }
            sent.put(loadId, loaded(counts, left, entries));
          });
      return loaded(counts, left, entries);
    }

    private Loaded loaded(long[] counts, Set<FeatureColumn> left, List<Ledger.Entry> entries) {
      return new Loaded(counts[0], counts[1], List.of(), left, !entries.isEmpty());
    }

    private long merge(Statements statements, StagedRows rows, StagedRows.Survey survey)
        throws SQLException {
      try {
        return rows.merge(statements, schema, survey.times(), bulk.latest());
      } catch (SQLException e) {
        if (session.server().meaning(e).mayWork()) {
          throw e;
        }
        throw new SickException(rows.type().valueType().orElseThrow(), e);
      }
    }
  }

  @Override
  public void close() {
    session.close();
  }
}

package io.tailrace.offline.warehouse;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.FeatureTable;
import io.tailrace.sql.Column;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import io.tailrace.v1.DeadLetter.Reason;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The tables of a warehouse's environments and the views of features over them. Tables are looked
 * at once, views whenever they are asked for: what a view says decides whose rows its readers see.
 * Not thread-safe.
 */
public final class WarehouseCatalog implements Catalog {
  private static final Logger LOG = LoggerFactory.getLogger(WarehouseCatalog.class);

  /** Others may be faster, again and again. */
  private static final int MAX_ATTEMPTS = 5;

  private final WarehouseSession session;
  private final WarehouseDialect dialect;
  private final Map<String, Set<Table>> ensured = new HashMap<>();
  // The namespaces that were seen to have a view of the newest rows, with their schemas.
  private final Set<String> latest = new HashSet<>();

  /** Creates one over a session, which is closed with it. */
  public WarehouseCatalog(WarehouseSession session, WarehouseDialect dialect) {
    this.session = session;
    this.dialect = dialect;
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> tables)
      throws UnavailableException {
    return require(statements -> create(statements, environment, tables));
  }

  /**
   * Does what {@link WarehouseSession#require} does, and once more where tables turn out not to be
   * there any more that were seen before.
   */
  <T> T require(WarehouseSession.Work<T> work) throws UnavailableException {
    if (!ensured.isEmpty()) {
      try {
        return session.run(work);
      } catch (WarehouseSession.RefusedException e) {
        forget();
        if (session.server().meaning(e.refusal()) != Meaning.TABLES) {
          throw new UnavailableException(session.server().sentence(e.refusal()), e);
        }
      }
    }
    return session.require(work);
  }

  /** Forgets which tables were seen to be there: somebody may have changed them. */
  void forget() {
    ensured.clear();
    latest.clear();
  }

  List<Conflict> create(
      Statements statements, String environment, Collection<FeatureTable> features)
      throws SQLException, UnavailableException {
    boolean seenBefore = !ensured.isEmpty();
    List<Conflict> conflicts = createAll(statements, environment, features);
    if (seenBefore && conflicts.stream().anyMatch(it -> it.reason() == Reason.TABLE_REFUSES)) {
      // No view can be made over a table that somebody dropped.
      forget();
      return createAll(statements, environment, features);
    }
    return conflicts;
  }

  private List<Conflict> createAll(
      Statements statements, String environment, Collection<FeatureTable> features)
      throws SQLException, UnavailableException {
    Set<Table> rows = new LinkedHashSet<>();
    for (FeatureTable feature : features) {
      rows.add(WarehouseTables.rows(feature));
      // Its deletions.
      rows.add(WarehouseTables.rows(feature.stringKeys(), Optional.empty()));
    }
    ensure(statements, environment, List.copyOf(rows));
    if (features.isEmpty()) {
      return List.of();
    }
    String schema = dialect.schema(environment);
    Map<FeatureTable, FeatureView> wanted = new LinkedHashMap<>();
    // Those with values first: a view that only has deletions would have to be replaced.
    features.stream()
        .sorted(Comparator.comparing(feature -> feature.valueType().isEmpty()))
        .forEach(feature -> wanted.put(feature, new FeatureView(feature, dialect, schema)));
    Map<FeatureTable, Conflict> conflicts = new LinkedHashMap<>();
    Set<String> names = new HashSet<>();
    wanted.keySet().forEach(feature -> names.add(feature.table()));
    for (int attempt = 0; attempt < MAX_ATTEMPTS && !wanted.isEmpty(); attempt++) {
      Map<String, FoundTable> found = dialect.views(statements, schema, names);
      names.clear();
      for (FeatureView view : List.copyOf(wanted.values())) {
        FoundTable there = found.get(view.feature().table());
        if (there != null && view.conflict(there).isPresent()) {
          conflicts.put(view.feature(), view.conflict(there).get());
          wanted.remove(view.feature());
        } else if (there != null && !view.isMoreThan(there)) {
          wanted.remove(view.feature());
        } else if (names.add(view.feature().table())
            // Another feature of the same name is compared with what this attempt makes.
            && !make(statements, view, there, conflicts)) {
          wanted.remove(view.feature());
        }
      }
    }
    wanted
        .keySet()
        .forEach(
            feature ->
                conflicts.put(
                    feature,
                    Conflict.ofTable(
                        feature, "is there, and can't be seen: grant it to the writer's role")));
    return List.copyOf(conflicts.values());
  }

  /** Sees to it that there is the table of the newest rows, and the view of each namespace. */
  void createLatest(Statements statements, String environment, List<String> namespaces)
      throws SQLException, UnavailableException {
    ensure(statements, environment, List.of(NewestRows.TABLE));
    String schema = dialect.schema(environment);
    List<String> unseen =
        namespaces.stream().filter(each -> !latest.contains(schema + "." + each)).toList();
    if (unseen.isEmpty()) {
      return;
    }
    Map<String, FoundTable> found =
        dialect.views(statements, schema, unseen.stream().map(NewestRows::viewName).toList());
    for (String namespace : unseen) {
      String name = NewestRows.viewName(namespace);
      FoundTable there = found.get(name);
      if (there == null) {
        createLatest(statements, schema, namespace);
      } else if (!there.said().equals(NewestRows.label(namespace).owner())) {
        LOG.warn(
            "{} is somebody else's: rename it, and the view of the newest rows of {} is made",
            dialect.place(schema, name),
            namespace);
      }
      latest.add(schema + "." + namespace);
    }
  }

  private void createLatest(Statements statements, String schema, String namespace)
      throws SQLException {
    try {
      for (String statement :
          dialect.createView(
              dialect.place(schema, NewestRows.viewName(namespace)),
              NewestRows.view(dialect, schema, namespace),
              NewestRows.label(namespace).line())) {
        statements.execute(statement);
      }
    } catch (SQLException e) {
      if (session.server().meaning(e) != Meaning.THERE) {
        throw e;
      }
    }
  }

  /** Makes a view, and returns whether it is to be looked at again. */
  private boolean make(
      Statements statements,
      FeatureView view,
      @Nullable FoundTable there,
      Map<FeatureTable, Conflict> conflicts)
      throws SQLException, UnavailableException {
    try {
      if (there == null) {
        for (String statement : view.create()) {
          statements.execute(statement);
        }
      } else {
        replace(statements, view);
      }
      return true;
    } catch (SQLException e) {
      switch (session.server().meaning(e)) {
        case THERE -> {
          return true;
        }
        case TABLES, CONTENT, FINAL -> {
          conflicts.put(
              view.feature(),
              Conflict.ofTable(view.feature(), "can't be created: " + session.server().message(e)));
          return false;
        }
        default -> throw e;
      }
    }
  }

  /**
   * Gives a view of deletions its values, if it has none yet. Two who want values of different
   * types would hide each other's rows: so another session has the lock meanwhile, as a definition
   * ends the transaction of its own session.
   */
  private void replace(Statements statements, FeatureView view)
      throws SQLException, UnavailableException {
    String name = view.feature().table();
    List<SQLException> refused = new ArrayList<>();
    try (WarehouseSession other = new WarehouseSession(session.server())) {
      boolean unused =
          other.require(
              holder -> {
                dialect.transaction(
                    holder,
                    () -> {
                      dialect.lock(
                          holder, dialect.place(view.schema(), WarehouseTables.LOCK.name()));
                      try {
                        FoundTable there =
                            dialect.views(statements, view.schema(), List.of(name)).get(name);
                        if (there == null
                            || view.conflict(there).isPresent()
                            || !view.isMoreThan(there)) {
                          return;
                        }
                        for (String statement : view.replace(there)) {
                          statements.execute(statement);
                        }
                      } catch (SQLException e) {
                        refused.add(e);
                      }
                    });
                return true;
              });
    }
    if (!refused.isEmpty()) {
      throw refused.get(0);
    }
  }

  /**
   * Sees to it that an environment has the tables that it always has, and some tables of rows, with
   * all of their columns.
   */
  void ensure(Statements statements, String environment, List<Table> rows)
      throws SQLException, UnavailableException {
    String schema = dialect.schema(environment);
    Set<Table> seen = ensured.computeIfAbsent(schema, unused -> new HashSet<>());
    List<Table> wanted = new ArrayList<>(rows);
    wanted.addAll(List.of(WarehouseTables.LOCK, WarehouseTables.LEDGER, WarehouseTables.queries()));
    wanted.removeAll(seen);
    if (wanted.isEmpty()) {
      return;
    }
    for (int attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      Map<String, FoundTable> found =
          dialect.tables(statements, schema, wanted.stream().map(Table::name).toList());
      Tables plan = Tables.compare(dialect.sql(), wanted, found);
      if (!plan.conflicts().isEmpty()) {
        Map.Entry<Table, List<io.tailrace.sql.Conflict>> first =
            plan.conflicts().entrySet().iterator().next();
        throw new UnavailableException(
            session.server().text()
                + ": the table "
                + dialect.place(schema, first.getKey().name())
                + " "
                + Tables.sentence(first.getValue())
                + ": rename it, and it is created anew");
      }
      if (plan.areDone()) {
        seen.addAll(wanted);
        return;
      }
      if (found.isEmpty() && seen.isEmpty()) {
        create(statements, dialect.createSchema(schema));
      }
      for (Table table : plan.missing()) {
        createTable(statements, schema, table);
      }
      for (Tables.Addition addition : plan.additions()) {
        for (Column column : addition.columns()) {
          create(
              statements,
              dialect.sql().addColumn(dialect.place(schema, addition.table().name()), column));
        }
      }
    }
    throw new UnavailableException(
        session.server().text() + ": the tables of the schema " + schema + " vanish when created");
  }

  /** Creates something, unless others are faster: two at once may both find it missing. */
  private void create(Statements statements, String statement) throws SQLException {
    try {
      statements.execute(statement);
    } catch (SQLException e) {
      if (session.server().meaning(e) != Meaning.THERE) {
        throw e;
      }
    }
  }

  private void createTable(Statements statements, String schema, Table table) throws SQLException {
    String place = dialect.place(schema, table.name());
    try {
      if (table.equals(WarehouseTables.LOCK)) {
        statements.execute(dialect.createLock(place, table));
      } else {
        statements.execute(
            table.name().startsWith("rows_")
                ? dialect.createRows(place, table)
                : dialect.createTable(place, table));
      }
    } catch (SQLException e) {
      if (session.server().meaning(e) != Meaning.THERE) {
        throw e;
      }
    }
  }

  @Override
  public void close() {
    session.close();
  }
}

package io.tailrace.metrics.postgres;

import static io.tailrace.sql.postgres.PostgresDialect.POSTGRES;

import com.google.common.collect.ImmutableList;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.metrics.MetricsTable;
import io.tailrace.metrics.MetricsView;
import io.tailrace.metrics.postgres.PostgresMetricsAddress.Partitions;
import io.tailrace.sql.Conflict;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Layout.Span;
import io.tailrace.sql.Table;
import io.tailrace.sql.Tables;
import io.tailrace.sql.postgres.Part;
import io.tailrace.sql.postgres.PartNames;
import io.tailrace.sql.postgres.PostgresCatalog;
import io.tailrace.sql.postgres.PostgresCatalog.Plan;
import io.tailrace.sql.postgres.PostgresSession.RefusedException;
import io.tailrace.sql.postgres.SqlState;
import io.tailrace.v1.MetricsSummary;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Creates the schema, its tables, views and partitions. Not thread-safe. */
final class PostgresMetricsTables {
  private static final Logger LOG = LoggerFactory.getLogger(PostgresMetricsTables.class);

  private static final long MICROS_PER_DAY = Duration.ofDays(1).toNanos() / 1_000;

  private final PostgresMetricsAddress address;
  private final PostgresCatalog catalog;
  private final ImmutableList<MetricsTable> tables;

  /** What the tables are, by name; empty: not known. */
  private Map<String, Kind> kinds = Map.of();

  /** Parts whose partitions are known to be there, by table. */
  private final Map<String, Set<Part>> known = new HashMap<>();

  /** What a table is. */
  enum Kind {
    PLAIN,
    DAILY,
    HYPERTABLE
  }

  /** What is there: what the tables are, what is wrong with them, and views from before. */
  private record There(
      Map<String, Kind> kinds, Map<Table, List<Conflict>> conflicts, List<MetricsView> earlier) {}

  PostgresMetricsTables(
      PostgresMetricsAddress address, PostgresCatalog catalog, List<MetricsTable> tables) {
    this.address = address;
    this.catalog = catalog;
    this.tables = ImmutableList.copyOf(tables);
  }

  /** Forgets what is known of the tables, as it turned out not to be so. */
  void forget() {
    kinds = Map.of();
    known.clear();
  }

  /** Returns what is known of the tables. */
  Map<String, Kind> kinds() {
    return kinds;
  }

  /**
   * Creates whatever is missing for rows to be written.
   *
   * @throws RefusedException if the server refuses that, perhaps as tables are not what they were
   */
  void prepareFor(List<MetricsSummary> summaries) throws RefusedException, UnavailableException {
    if (kinds.isEmpty()) {
      There there = catalog.bringAbout(address.schema(), this::plan);
      check(there.conflicts);
      kinds = there.kinds;
      there.earlier.forEach(this::replace);
    }
    for (MetricsTable table : tables) {
      if (kinds.get(table.name()) == Kind.DAILY) {
        createDays(table, summaries);
      }
    }
  }

  /**
   * Replaces a view of an earlier version. Rows are written without that, so that a failure is
   * said: others may have made something of the view that does not allow it.
   */
  private void replace(MetricsView view) {
    try {
      catalog.once(
          address.schema(),
          unused -> List.of(view.create(address.place(view.view()), address.place(view.table()))));
    } catch (RefusedException e) {
      LOG.warn(
          "The view {} is of an earlier version and can't be replaced; drop it, and it is made"
              + " anew: {}",
          address.place(view.view()),
          SqlState.sentence(address.server(), e.refusal()));
    } catch (UnavailableException e) {
      LOG.warn(
          "The view {} is of an earlier version and is not replaced for now: {}",
          address.place(view.view()),
          e.getMessage());
    }
  }

  private void createDays(MetricsTable table, List<MetricsSummary> summaries)
      throws RefusedException, UnavailableException {
    Set<Part> wanted = new LinkedHashSet<>();
    for (MetricsSummary summary : summaries) {
      if (table.holds(summary)) {
        Part.of(LocalDate.ofEpochDay(Math.floorDiv(summary.getMinute(), MICROS_PER_DAY)))
            .ifPresent(wanted::add);
      }
    }
    Set<Part> there = known.computeIfAbsent(table.name(), unused -> new HashSet<>());
    wanted.removeAll(there);
    if (!wanted.isEmpty()) {
      Map<String, String> blocked =
          catalog.createParts(address.schema(), Map.of(table.name(), wanted));
      if (!blocked.isEmpty()) {
        throw new UnavailableException(address.text() + ": " + blocked.get(table.name()));
      }
      there.addAll(wanted);
    }
  }

  private void check(Map<Table, List<Conflict>> conflicts) throws UnavailableException {
    List<String> all = new ArrayList<>();
    conflicts.forEach(
        (table, differences) ->
            all.add(
                "the table " + address.place(table.name()) + " " + Tables.sentence(differences)));
    if (!all.isEmpty()) {
      throw new UnavailableException(
          address.text()
              + ": "
              + String.join("; ", all)
              + "; rename it, and another one is created");
    }
  }

  private Plan<There> plan(Connection connection) throws SQLException {
    Optional<Timescale> timescale = Timescale.find(connection, address);
    Optional<Timescale> wanted =
        timescale.filter(unused -> address.partitions() == Partitions.AUTO);
    boolean daily = address.partitions() != Partitions.NONE && wanted.isEmpty();
    List<Table> all =
        tables.stream()
            .map(MetricsTable::table)
            .map(table -> daily ? table.laidOut(Layout.PLAIN.by("minute", Span.DAY)) : table)
            .toList();
    Map<String, FoundTable> found = catalog.find(connection, address.schema(), names());
    Tables compared = Tables.compare(POSTGRES, all, found);
    List<List<String>> steps =
        new ArrayList<>(catalog.steps(connection, address.schema(), compared));
    Map<String, Kind> there = new HashMap<>();
    for (MetricsTable table : tables) {
      String name = table.name();
      FoundTable relation = found.get(name);
      if (relation == null) {
        wanted.ifPresent(extension -> steps.add(extension.createHypertable(name)));
        continue;
      }
      there.put(name, kind(connection, name, relation, timescale));
      List<String> step =
          switch (there.get(name)) {
            case PLAIN -> wanted.map(each -> each.createHypertable(name)).orElse(List.of());
            case HYPERTABLE -> timescale.orElseThrow().setPolicyIfOther(connection, name);
            case DAILY -> List.<String>of();
          };
      if (!step.isEmpty()) {
        steps.add(step);
      }
    }
    List<MetricsView> earlier = new ArrayList<>();
    for (MetricsView view : MetricsView.values()) {
      FoundTable relation = found.get(view.view());
      if (relation != null) {
        if (relation.kind() == FoundTable.Kind.VIEW
            && view.isEarlier(relation.columns().keySet())) {
          earlier.add(view);
        }
      } else {
        steps.add(List.of(view.create(address.place(view.view()), address.place(view.table()))));
      }
    }
    return compared.conflicts().isEmpty()
        ? new Plan<>(steps, new There(there, Map.of(), earlier))
        : new Plan<>(List.of(), new There(there, compared.conflicts(), List.of()));
  }

  private List<String> names() {
    return Stream.concat(
            tables.stream().map(MetricsTable::name),
            Stream.of(MetricsView.values()).map(MetricsView::view))
        .toList();
  }

  private static Kind kind(
      Connection connection, String table, FoundTable relation, Optional<Timescale> timescale)
      throws SQLException {
    if (relation.kind() == FoundTable.Kind.PARTITIONED) {
      return Kind.DAILY;
    }
    return timescale.isPresent() && timescale.get().isHypertable(connection, table)
        ? Kind.HYPERTABLE
        : Kind.PLAIN;
  }

  /** Names of partitions and keys: there are few tables, and none has such a name. */
  static final class Names implements PartNames {
    @Override
    public String key(String table) {
      return table + "_pkey";
    }

    @Override
    public String part(String table, String part) {
      return table + "_" + part;
    }
  }
}

package io.tailrace.offline.bigquery;

import static io.tailrace.sql.bigquery.BigQueryDialect.BIGQUERY;

import com.google.api.services.bigquery.model.Table;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineTables;
import io.tailrace.offline.bigquery.BigQueryClient.RefusedException;
import io.tailrace.parquet.QueryLog;
import io.tailrace.parquet.TableNames;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Conflict.Kind;
import io.tailrace.sql.Label;
import io.tailrace.sql.Tables;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/**
 * Creates datasets, tables of rows and the views in front of them, by one call each: a feature
 * costs two calls to look, and two more to create. Several features are looked at at once. Not
 * thread-safe.
 */
final class BigQueryTables implements Catalog {
  /** Calls at once; BigQuery allows a hundred in a second. */
  private static final int CALLS_AT_ONCE = 8;

  private final BigQueryAddress address;
  private final BigQueryClient client;
  private final Set<String> ready = new HashSet<>();

  BigQueryTables(BigQueryAddress address, BigQueryClient client) {
    this.address = address;
    this.client = client;
  }

  /** Forgets what was seen to be there. */
  void forget() {
    ready.clear();
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> wanted)
      throws UnavailableException {
    String dataset = address.dataset(environment);
    List<Conflict> conflicts = new ArrayList<>();
    if (!ready.contains(dataset)) {
      prepare(dataset).ifPresent(conflicts::add);
      if (conflicts.isEmpty()) {
        ready.add(dataset);
      }
    }
    // Of several that want one table, one is looked at behind the other.
    Map<String, List<FeatureTable>> byName = new HashMap<>();
    wanted.forEach(
        feature ->
            byName.computeIfAbsent(feature.table(), unused -> new ArrayList<>()).add(feature));
    List<Callable<List<Conflict>>> all = new ArrayList<>();
    byName.values().forEach(some -> all.add(() -> createFeatures(dataset, some)));
    conflicts.addAll(run(all));
    return conflicts;
  }

  private List<Conflict> createFeatures(String dataset, List<FeatureTable> features)
      throws UnavailableException {
    List<Conflict> conflicts = new ArrayList<>();
    for (FeatureTable feature : features) {
      createFeature(dataset, feature).ifPresent(conflicts::add);
    }
    return conflicts;
  }

  private static List<Conflict> run(List<Callable<List<Conflict>>> all)
      throws UnavailableException {
    List<Conflict> conflicts = new ArrayList<>();
    if (all.isEmpty()) {
      return conflicts;
    }
    ExecutorService threads = Executors.newFixedThreadPool(Math.min(CALLS_AT_ONCE, all.size()));
    try {
      for (Future<List<Conflict>> each : threads.invokeAll(all)) {
        conflicts.addAll(each.get());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while creating tables", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnavailableException unavailable) {
        throw unavailable;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      threads.shutdownNow();
    }
    return conflicts;
  }

  /** Sees to it that there are the dataset, the log of queries and the tables of deletions. */
  private Optional<Conflict> prepare(String dataset) throws UnavailableException {
    DatasetUpkeep upkeep = new DatasetUpkeep(client, dataset);
    try {
      if (client.dataset(dataset).isEmpty()) {
        client.createDataset(dataset);
      }
      for (boolean stringKeys : List.of(true, false)) {
        List<io.tailrace.sql.Conflict> differences =
            upkeep.ensure(TableDesign.deletions(stringKeys));
        if (!differences.isEmpty()) {
          throw new UnavailableException(
              address.text()
                  + ": the table "
                  + dataset
                  + "."
                  + TableDesign.deletionsName(stringKeys)
                  + " "
                  + Tables.sentence(differences)
                  + ": rename it and another one is created");
        }
      }
      List<io.tailrace.sql.Conflict> differences = upkeep.ensure(TableDesign.queries());
      if (!differences.isEmpty()) {
        return Optional.of(Conflict.ofTable(FeatureTable.LOG, Tables.sentence(differences)));
      }
      Views views = new Views(address, dataset);
      return upkeep
          .ensureView(
              new DatasetUpkeep.View(
                  TableNames.QUERY_LOG,
                  new Label(Map.of(Label.KIND, "query_log_view"), Map.of()),
                  QueryLog.CURRENT.columns().stream().map(QueryLog.Column::name).toList(),
                  views.queries()))
          .map(words -> Conflict.ofTable(FeatureTable.LOG, words));
    } catch (RefusedException e) {
      throw refused(dataset, e);
    }
  }

  private UnavailableException refused(String dataset, RefusedException e) {
    return new UnavailableException(
        address.text()
            + ": the dataset "
            + dataset
            + " can't be used: "
            + e.getMessage()
            + (e.isForbidden()
                ? ": grant the writer roles/bigquery.dataEditor on it, or on the project where"
                    + " it is to create datasets"
                : ""),
        e);
  }

  /** Sees to it that a namespace has its latest table; returns why it has not. */
  Optional<String> createLatest(String environment, String namespace) throws UnavailableException {
    String dataset = address.dataset(environment);
    DatasetUpkeep upkeep = new DatasetUpkeep(client, dataset);
    try {
      TableDesign design = TableDesign.latest(namespace);
      List<io.tailrace.sql.Conflict> differences = upkeep.ensure(design);
      if (!differences.isEmpty()) {
        return Optional.of(design.table().name() + " " + Tables.sentence(differences));
      }
      List<String> columns =
          design.table().columns().stream()
              .map(io.tailrace.sql.Column::name)
              .filter(name -> !name.equals("deleted"))
              .toList();
      String name = TableNames.ofLatest(namespace);
      Label label = new Label(Map.of(Label.KIND, "latest", "namespace", namespace), Map.of());
      return upkeep
          .ensureView(
              new DatasetUpkeep.View(
                  name, label, columns, new Views(address, dataset).latest(namespace)))
          .map(words -> name + " " + words);
    } catch (RefusedException e) {
      return Optional.of(TableNames.ofLatest(namespace) + " can't be created: " + e.getMessage());
    }
  }

  private Optional<Conflict> createFeature(String dataset, FeatureTable feature)
      throws UnavailableException {
    DatasetUpkeep upkeep = new DatasetUpkeep(client, dataset);
    try {
      Label label = OfflineTables.label(feature);
      for (int round = 0; round < DatasetUpkeep.MAX_ROUNDS; round++) {
        Optional<Table> found = client.table(dataset, feature.table());
        if (found.isPresent()) {
          Optional<Conflict> conflict = compare(feature, label, found.get());
          if (conflict.isPresent()) {
            return conflict;
          }
        }
        if (feature.valueType().isPresent()) {
          List<io.tailrace.sql.Conflict> differences = upkeep.ensure(TableDesign.values(feature));
          if (!differences.isEmpty()) {
            return Optional.of(conflict(feature, differences));
          }
        }
        DatasetUpkeep.View view =
            new DatasetUpkeep.View(
                feature.table(),
                label,
                Views.columns(feature),
                new Views(address, dataset).feature(feature));
        if (upkeep.isDone(view, found)) {
          return Optional.empty();
        }
      }
      throw upkeep.changing(feature.table());
    } catch (RefusedException e) {
      return Optional.of(
          Conflict.ofTable(feature, "can't be created or changed: " + e.getMessage()));
    }
  }

  private static Conflict conflict(
      FeatureTable feature, List<io.tailrace.sql.Conflict> differences) {
    io.tailrace.sql.Conflict first = differences.get(0);
    String rows = "has rows in " + feature.table() + TableDesign.ROWS + ", which ";
    if (first.kind() == Kind.OWNER) {
      return new Conflict(
          feature,
          Reason.NAME_TAKEN,
          List.of(Difference.ofTable(rows + "belongs to another feature")));
    }
    List<Difference> columns =
        differences.stream()
            .map(each -> new Difference(each.column(), each.found(), each.wanted()))
            .toList();
    boolean isOfTypes =
        columns.stream()
            .allMatch(
                each -> Set.of("pkey", "value").contains(each.column()) && !each.found().isEmpty());
    return isOfTypes
        ? Conflict.ofTypes(feature, columns)
        : Conflict.ofTable(feature, rows + Tables.sentence(differences));
  }

  /** Compares what is wanted of a feature with the view that is there. */
  private static Optional<Conflict> compare(FeatureTable feature, Label label, Table found) {
    Map<String, String> said = DatasetUpkeep.said(found);
    if (said.isEmpty() || !DatasetUpkeep.isView(found)) {
      return Optional.of(
          Conflict.ofTable(
              feature, DatasetUpkeep.isView(found) ? "is somebody else's view" : "is no view"));
    }
    if (!DatasetUpkeep.isOf(label, found)) {
      return Optional.of(
          Conflict.ofOwner(
              feature, said.getOrDefault("namespace", ""), said.getOrDefault("name", "")));
    }
    List<Difference> differences = new ArrayList<>();
    String key = said.getOrDefault("key", "");
    String wantedKey = label.facts().getOrDefault("key", "");
    if (!key.equals(wantedKey)) {
      differences.add(new Difference("pkey", keyName(key), keyName(wantedKey)));
    }
    String value = said.getOrDefault("value", "");
    String wantedValue = label.facts().getOrDefault("value", "");
    if (!value.isEmpty() && !wantedValue.isEmpty() && !value.equals(wantedValue)) {
      differences.add(new Difference("value", valueName(value), valueName(wantedValue)));
    }
    return differences.isEmpty()
        ? Optional.empty()
        : Optional.of(Conflict.ofTypes(feature, differences));
  }

  private static String keyName(String key) {
    return key.toUpperCase(Locale.ROOT);
  }

  /** Returns the type of a value that a view names; JSON and texts have the same. */
  private static String valueName(String value) {
    for (ValueType type : ValueType.values()) {
      if (type.name().toLowerCase(Locale.ROOT).equals(value)) {
        return typeName(type);
      }
    }
    return value;
  }

  /** Returns what the type of values is called in sentences. */
  static String typeName(ValueType type) {
    String name = BIGQUERY.type(OfflineTables.type(type));
    return type == ValueType.JSON ? name + " with JSON" : name;
  }

  @Override
  public void close() {
    // Calls hold nothing open.
  }
}

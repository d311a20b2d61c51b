package io.tailrace.offline.bigquery;

import static io.tailrace.sql.bigquery.BigQueryDialect.BIGQUERY;
import static java.util.Objects.requireNonNull;

import com.google.api.services.bigquery.model.Table;
import com.google.api.services.bigquery.model.TableFieldSchema;
import com.google.api.services.bigquery.model.TableSchema;
import com.google.api.services.bigquery.model.ViewDefinition;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bigquery.BigQueryClient.RefusedException;
import io.tailrace.sql.Conflict;
import io.tailrace.sql.FoundTable;
import io.tailrace.sql.Label;
import io.tailrace.sql.Tables;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Makes tables and views of a dataset as they are wanted, one at a time, and safely when many do so
 * at once: BigQuery refuses a second one of a name, and a change of what somebody else has changed.
 * Nothing is changed but by adding to it. Immutable.
 *
 * @param client calls BigQuery
 * @param dataset its name
 */
record DatasetUpkeep(BigQueryClient client, String dataset) {
  /** So often somebody else may be faster. */
  static final int MAX_ROUNDS = 20;

  /**
   * A view that is wanted.
   *
   * @param columns the names of its columns
   */
  record View(String name, Label label, List<String> columns, String query) {}

  /** Sees to it that there is a view; returns why there is not. */
  Optional<String> ensureView(View view) throws UnavailableException, RefusedException {
    for (int round = 0; round < MAX_ROUNDS; round++) {
      Optional<Table> found = client.table(dataset, view.name);
      if (found.isPresent() && !(isView(found.get()) && isOf(view.label, found.get()))) {
        return Optional.of("is there and is somebody else's: rename it and another one is created");
      }
      if (isDone(view, found)) {
        return Optional.empty();
      }
    }
    throw changing(view.name);
  }

  /** Creates a view, or gives it columns that it lacks; false: somebody else was faster. */
  boolean isDone(View view, Optional<Table> found) throws UnavailableException, RefusedException {
    ViewDefinition query = new ViewDefinition().setQuery(view.query).setUseLegacySql(false);
    if (found.isEmpty()) {
      return client.create(
          new Table()
              .setTableReference(client.reference(dataset, view.name))
              .setDescription(view.label.line())
              .setView(query));
    }
    if (columns(found.get()).keySet().containsAll(view.columns)) {
      return true;
    }
    return client.change(
        found.get(),
        new Table()
            .setView(query)
            .setDescription(
                new Label(view.label.owner(), view.label.over(said(found.get()))).line()));
  }

  /** Sees to it that there is a table with its columns; returns what is in the way. */
  List<Conflict> ensure(TableDesign design) throws UnavailableException, RefusedException {
    String name = design.table().name();
    for (int round = 0; round < MAX_ROUNDS; round++) {
      Optional<Table> found = client.table(dataset, name);
      if (found.isEmpty()) {
        if (client.create(design.created(client.reference(dataset, name)))) {
          return List.of();
        }
        continue;
      }
      Tables tables =
          Tables.compare(BIGQUERY, List.of(design.table()), Map.of(name, found(found.get())));
      if (!tables.conflicts().isEmpty()) {
        return requireNonNull(tables.conflicts().get(design.table()));
      }
      if (tables.additions().isEmpty()) {
        return List.of();
      }
      List<TableFieldSchema> fields = new ArrayList<>(found.get().getSchema().getFields());
      fields.addAll(TableDesign.fields(tables.additions().get(0).columns()));
      if (client.change(found.get(), new Table().setSchema(new TableSchema().setFields(fields)))) {
        return List.of();
      }
    }
    throw changing(name);
  }

  private static FoundTable found(Table table) {
    boolean isTable = "TABLE".equals(table.getType());
    return new FoundTable(
        isTable ? FoundTable.Kind.TABLE : FoundTable.Kind.OTHER,
        columns(table),
        Set.of(),
        description(table));
  }

  static boolean isView(Table table) {
    return "VIEW".equals(table.getType());
  }

  static Map<String, String> said(Table table) {
    return Label.in(description(table));
  }

  private static String description(Table table) {
    return table.getDescription() == null ? "" : table.getDescription();
  }

  private static Map<String, String> columns(Table table) {
    Map<String, String> columns = new HashMap<>();
    if (table.getSchema() != null && table.getSchema().getFields() != null) {
      for (TableFieldSchema field : table.getSchema().getFields()) {
        String type = BigQueryTypes.standard(field.getType());
        columns.put(
            field.getName(), "REPEATED".equals(field.getMode()) ? "ARRAY<" + type + ">" : type);
      }
    }
    return columns;
  }

  /** Returns whether a table or view says that it is the one that is meant. */
  static boolean isOf(Label label, Table found) {
    Map<String, String> said = said(found);
    return label.owner().entrySet().stream()
        .allMatch(is -> is.getValue().equals(said.get(is.getKey())));
  }

  UnavailableException changing(String name) {
    return new UnavailableException(client + ": " + dataset + "." + name + " changes all the time");
  }
}

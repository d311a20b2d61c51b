package io.tailrace.offline.bigquery;

import com.google.api.client.util.Data;
import com.google.api.services.bigquery.model.GetQueryResultsResponse;
import com.google.api.services.bigquery.model.TableFieldSchema;
import com.google.api.services.bigquery.model.TableRow;
import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.bigquery.BigQueryClient.RefusedException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Runs queries that only read, which BigQuery charges by what they look at. */
record BigQueryReader(BigQueryAddress address) implements OfflineReader {
  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    BigQueryClient client = new BigQueryClient(address);
    try {
      String type = client.statementType(sql);
      if (!type.equals("SELECT")) {
        throw new UnavailableException(
            "only a query that reads is run, such as SELECT: this is "
                + (type.isEmpty() ? "none" : type));
      }
      return table(client.query(sql, limit + 1L), limit);
    } catch (RefusedException e) {
      throw new UnavailableException(String.valueOf(e.getMessage()), e);
    }
  }

  private static Table table(GetQueryResultsResponse answer, int limit) {
    List<TableFieldSchema> fields = answer.getSchema().getFields();
    List<List<@Nullable String>> rows = new ArrayList<>();
    List<TableRow> found = answer.getRows() == null ? List.of() : answer.getRows();
    for (TableRow each : found.subList(0, Math.min(limit, found.size()))) {
      List<@Nullable String> row = new ArrayList<>();
      for (int i = 0; i < fields.size(); i++) {
        row.add(text(fields.get(i), each.getF().get(i).getV()));
      }
      rows.add(row);
    }
    return new Table(
        fields.stream().map(TableFieldSchema::getName).toList(),
        rows,
        found.size() <= limit && answer.getPageToken() == null);
  }

  private static @Nullable String text(TableFieldSchema field, @Nullable Object value) {
    if (value == null || Data.isNull(value)) {
      return null;
    }
    if (value instanceof List<?> list) {
      return list.stream()
          .map(each -> each instanceof Map<?, ?> cell ? cell.get("v") : each)
          .map(each -> String.valueOf(text(field, each)))
          .collect(Collectors.joining(", ", "[", "]"));
    }
    return BigQueryTypes.standard(field.getType()).equals("TIMESTAMP")
        ? Micros.instant(Long.parseLong(value.toString())).toString()
        : value.toString();
  }
}

package io.tailrace.offline.databricks;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.warehouse.WarehouseReader;
import java.util.List;
import java.util.regex.Pattern;

/** Reads Databricks, which has no sessions that only read: other statements are refused here. */
record DatabricksReader(DatabricksServer server) implements OfflineReader {
  private static final Pattern READS =
      Pattern.compile(
          "\\s*(SELECT|WITH|SHOW|DESCRIBE|DESC|EXPLAIN|VALUES|TABLE)\\b.*",
          Pattern.CASE_INSENSITIVE | Pattern.DOTALL);

  @Override
  public String uri() {
    return server.text();
  }

  @Override
  public Table query(String sql, int limit) throws UnavailableException {
    if (!READS.matcher(sql).matches()) {
      throw new UnavailableException(
          uri() + ": only queries are run here, such as SELECT …: " + sql.strip());
    }
    return new WarehouseReader(server, List.of(), WarehouseReader.Times.OF_SESSION)
        .query(sql, limit);
  }
}

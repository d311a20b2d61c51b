package io.tailrace.offline.bulk;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.result.ValueType;
import java.sql.Connection;
import java.sql.Statement;
import java.util.Properties;
import org.duckdb.DuckDBDriver;
import org.junit.Rule;
import org.junit.rules.TemporaryFolder;

/** What is done with files of results that are loaded into DuckDB, wherever they are. */
public abstract class DuckDbFilesRules extends ResultFilesRules {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  private String file() {
    return folder.getRoot() + "/offline.db";
  }

  @Override
  protected OfflineStore store() {
    return OfflineStores.at("duckdb://" + file() + "?schema={environment}");
  }

  @Override
  protected boolean loadsByItself(ValueType type) {
    return type != ValueType.JSON;
  }

  @Override
  protected void dropTable(String table) throws Exception {
    try (Connection connection =
            new DuckDBDriver().connect("jdbc:duckdb:" + file(), new Properties());
        Statement statement = connection.createStatement()) {
      statement.execute("DROP TABLE prod." + table);
    }
  }
}

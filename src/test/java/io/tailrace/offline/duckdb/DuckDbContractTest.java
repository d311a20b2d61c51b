package io.tailrace.offline.duckdb;

import io.tailrace.offline.OfflineStores;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A DuckDB file that is inserted into in the bundle. */
@RunWith(JUnit4.class)
public class DuckDbContractTest extends DuckDbContract {
  @Override
  String parameters() {
    return "";
  }

  @Override
  protected Unusable unusable() throws Exception {
    Path other = folder.newFile("other.db").toPath();
    Files.writeString(other, "something else than a database");
    return new Unusable(OfflineStores.at("duckdb://" + other), other + " is not a file of DuckDB");
  }
}

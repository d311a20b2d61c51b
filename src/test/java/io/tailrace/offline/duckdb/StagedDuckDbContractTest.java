package io.tailrace.offline.duckdb;

import io.tailrace.offline.OfflineStores;
import java.io.File;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** A DuckDB file that is loaded from a directory, as a warehouse is from its stage. */
@RunWith(JUnit4.class)
public class StagedDuckDbContractTest extends DuckDbContract {
  @Override
  String parameters() {
    return "&stage=file://" + folder.getRoot() + "/stage";
  }

  @Override
  protected Unusable unusable() throws Exception {
    File inTheWay = folder.newFile("in-the-way");
    String stage = "file://" + inTheWay;
    return new Unusable(
        OfflineStores.at("duckdb://" + folder.getRoot() + "/offline.db?stage=" + stage),
        "the stage " + stage + " can't be used");
  }
}

package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import com.sun.net.httpserver.HttpServer;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.PipelineRunner;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.Test;

/** Where a store that is a file may be used. */
public class WorkersTest {
  private static final OfflineStore FILE = OfflineStores.at("duckdb:///data/offline.db");

  /** Is called like the runner that is a dependency of a profile. */
  public static final class DataflowRunner extends PipelineRunner<PipelineResult> {
    public static DataflowRunner fromOptions(PipelineOptions unused) {
      return new DataflowRunner();
    }

    @Override
    public PipelineResult run(Pipeline pipeline) {
      throw new UnsupportedOperationException();
    }
  }

  private static String problems(OfflineStore store, PipelineOptions options) {
    OptionCheck check = new OptionCheck();
    Workers.checkProcesses("offlineStore", store, options, check);
    check.ask();
    try {
      check.finish();
      return String.join("; ", check.warnings());
    } catch (CommandException e) {
      return "refused: " + e.getMessage();
    }
  }

  private static PipelineOptions onFlink(String master) {
    return PipelineOptionsFactory.fromArgs("--runner=FlinkRunner", "--flinkMaster=" + master)
        .create();
  }

  private static String onCluster(String answer) throws Exception {
    HttpServer cluster =
        HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    cluster.createContext(
        "/taskmanagers",
        exchange -> {
          byte[] body = answer.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    cluster.start();
    try {
      return problems(FILE, onFlink("127.0.0.1:" + cluster.getAddress().getPort()));
    } finally {
      cluster.stop(0);
    }
  }

  @Test
  public void aFileIsRefusedOnDataflow() {
    PipelineOptions options = PipelineOptionsFactory.create();
    options.setRunner(DataflowRunner.class);

    assertThat(problems(FILE, options))
        .isEqualTo(
            "refused: --offlineStore=duckdb:///data/offline.db is a file, which one process alone"
                + " can have open, and Dataflow runs the writer on other machines: use a server,"
                + " such as postgresql://host/database");
    assertThat(problems(OfflineStores.at("postgresql://host/database"), options)).isEmpty();
  }

  @Test
  public void aFileIsRefusedOnAClusterOfSeveralTaskManagers() throws Exception {
    assertThat(onCluster("{\"taskmanagers\":[{\"id\":\"a\"},{\"id\":\"b\"}]}"))
        .contains("has 2 TaskManagers: use a server");
    assertThat(onCluster("{\"taskmanagers\":[{\"id\":\"a\"}]}")).isEmpty();
    assertThat(onCluster("<html>")).contains("it is not known how many TaskManagers");
  }

  @Test
  public void aFileIsFineWhereThePipelineRunsInThisProcess() {
    assertThat(problems(FILE, PipelineOptionsFactory.create())).isEmpty();
    assertThat(problems(FILE, onFlink("[local]"))).isEmpty();
  }
}

package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.sun.net.httpserver.HttpServer;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.pipelines.local.servers.LoopbackHttp;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.PipelineRunner;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.flink.client.program.StreamContextEnvironment;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.core.execution.DefaultExecutorServiceLoader;
import org.junit.Test;

/** Where a store that is a file may be used. */
public class WorkersTest {
  private static final OfflineStore FILE = OfflineStores.at("duckdb:///data/offline.db");
  private static final String NONE = "{\"taskmanagers\":[]}";
  private static final String ONE = "{\"taskmanagers\":[{\"id\":\"a\"}]}";
  private static final String TWO = "{\"taskmanagers\":[{\"id\":\"a\"},{\"id\":\"b\"}]}";

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

  private static PipelineOptions onFlink() {
    return PipelineOptionsFactory.fromArgs("--runner=FlinkRunner").create();
  }

  private interface WithPort {
    String problems(int port);
  }

  /** On a cluster that gives one answer after the other, and then the last again. */
  private static String onCluster(WithPort asked, String... answers) throws Exception {
    HttpServer cluster = LoopbackHttp.create();
    AtomicInteger next = new AtomicInteger();
    cluster.createContext(
        "/taskmanagers",
        exchange -> {
          String answer = answers[Math.min(next.getAndIncrement(), answers.length - 1)];
          byte[] body = answer.getBytes(StandardCharsets.UTF_8);
          exchange.sendResponseHeaders(200, body.length);
          exchange.getResponseBody().write(body);
          exchange.close();
        });
    cluster.start();
    try {
      return asked.problems(cluster.getAddress().getPort());
    } finally {
      cluster.stop(0);
    }
  }

  private static String onSessionCluster(String answer) throws Exception {
    return onCluster(port -> problems(FILE, onFlink("127.0.0.1:" + port)), answer);
  }

  /** As the program of a JobManager, or of {@code flink run}. */
  private static <T> T asProgramOf(Map<String, String> flink, Supplier<T> program) {
    StreamContextEnvironment.setAsContext(
        new DefaultExecutorServiceLoader(),
        Configuration.fromMap(flink),
        WorkersTest.class.getClassLoader(),
        /* enforceSingleJobExecution= */ true,
        /* suppressSysout= */ false);
    try {
      return program.get();
    } finally {
      StreamContextEnvironment.unsetAsContext();
    }
  }

  private static String onApplicationCluster(Map<String, String> settings, String... answers)
      throws Exception {
    return onCluster(
        port -> {
          Map<String, String> flink = new HashMap<>(settings);
          flink.put("execution.target", "embedded");
          flink.put("rest.port", Integer.toString(port));
          flink.putIfAbsent("cluster.registration.error-delay", "100");
          return asProgramOf(flink, () -> problems(FILE, onFlink()));
        },
        answers);
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
    assertThat(onSessionCluster(TWO)).contains("has 2 TaskManagers: use a server");
    assertThat(onSessionCluster(ONE)).isEmpty();
    assertThat(onSessionCluster("<html>")).contains("it is not known how many TaskManagers");
    assertThat(onSessionCluster(NONE)).contains("it is not known how many TaskManagers");
  }

  @Test
  public void aFileIsRefusedInAnApplicationClusterOfSeveralTaskManagers() throws Exception {
    assertThat(onApplicationCluster(Map.of(), TWO))
        .isEqualTo(
            "refused: --offlineStore=duckdb:///data/offline.db is a file, which one process alone"
                + " can have open, and this Flink cluster has 2 TaskManagers: use a server, such as"
                + " postgresql://host/database, or a cluster with one TaskManager");
    assertThat(onApplicationCluster(Map.of(), ONE)).isEmpty();
    assertThat(onApplicationCluster(Map.of(), NONE))
        .contains("it is not known how many TaskManagers this Flink cluster will have");
  }

  @Test
  public void thoseThatWereStartedWithTheJobManagerAreWaitedFor() throws Exception {
    assertThat(
            onApplicationCluster(
                Map.of("cluster.registration.error-delay", "60000"), "<html>", NONE, ONE, TWO))
        .contains("has 2 TaskManagers");
  }

  @Test
  public void aFileIsRefusedWhereTaskManagersComeAndGo() throws Exception {
    assertThat(onApplicationCluster(Map.of("scheduler-mode", "reactive"), ONE))
        .isEqualTo(
            "refused: --offlineStore=duckdb:///data/offline.db is a file, which one process alone"
                + " can have open, and with scheduler-mode=reactive the writer has copies on every"
                + " TaskManager that comes: use a server, such as postgresql://host/database, or a"
                + " cluster without scheduler-mode and with one TaskManager");
  }

  @Test
  public void aFileIsRefusedByFlinkRunToo() throws Exception {
    assertThat(
            onCluster(
                port ->
                    asProgramOf(
                        Map.of(
                            "execution.target", "remote",
                            "rest.address", "127.0.0.1",
                            "rest.port", Integer.toString(port)),
                        () -> problems(FILE, onFlink("[auto]"))),
                TWO))
        .contains("has 2 TaskManagers");
    assertThat(
            asProgramOf(
                Map.of("execution.target", "local"), () -> problems(FILE, onFlink("[auto]"))))
        .isEmpty();
  }

  @Test
  public void aFileIsFineWhereThePipelineRunsInThisProcess() {
    assertThat(problems(FILE, PipelineOptionsFactory.create())).isEmpty();
    for (String master : List.of("[local]", "[auto]")) {
      assertThat(problems(FILE, onFlink(master))).isEmpty();
    }
    assertThat(problems(FILE, onFlink())).isEmpty();
  }

  @Test
  public void workersAreElsewhereUnlessTheirClusterIsOnThisMachine() {
    for (String here : List.of("localhost", "127.0.0.1:8081", "http://localhost:1", "[::1]:8081")) {
      assertWithMessage(here).that(Workers.areElsewhere(onFlink(here))).isFalse();
    }
    for (String elsewhere : List.of("jobmanager", "10.0.0.7:8081", "https://flink.example:443")) {
      assertWithMessage(elsewhere).that(Workers.areElsewhere(onFlink(elsewhere))).isTrue();
    }
    assertThat(Workers.areElsewhere(onFlink())).isFalse();
    assertThat(isElsewhere("embedded", "jobmanager.rpc.address", "jobmanager")).isTrue();
    assertThat(isElsewhere("embedded", "jobmanager.rpc.address", "localhost")).isFalse();
    assertThat(isElsewhere("remote", "rest.address", "jobmanager")).isTrue();
    assertThat(isElsewhere("remote", "rest.address", "127.0.0.1")).isFalse();
    assertThat(isElsewhere("yarn-per-job", "jobmanager.rpc.address", "localhost")).isTrue();
    assertThat(isElsewhere("local", "rest.address", "jobmanager")).isFalse();
  }

  private static boolean isElsewhere(String target, String name, String value) {
    return asProgramOf(
        Map.of("execution.target", target, name, value), () -> Workers.areElsewhere(onFlink()));
  }

  @Test
  public void aClusterIsAskedWhereBeamFindsIt() {
    assertThat(FlinkPlace.named("jobmanager").address()).isEqualTo("http://jobmanager:8081");
    assertThat(FlinkPlace.named("jobmanager:80").address()).isEqualTo("http://jobmanager:80");
    assertThat(FlinkPlace.named("https://flink:443").address()).isEqualTo("https://flink:443");
  }
}

package io.tailrace.pipelines.local;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.testing.FixedRowsReader;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

@RunWith(JUnit4.class)
public class RunningStackTest {
  private static final RunningStack.Sql SQL =
      new RunningStack.Sql("duckdb:///data/offline.db", "http://127.0.0.1:1/sql", "secret");

  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Test
  public void findsWhatWasWritten() {
    RunningStack stack = stack(Optional.of(SQL));
    stack.write(file());
    assertThat(RunningStack.find(file())).hasValue(stack);
  }

  @Test
  public void hasWhatAnEndpointTells() {
    try (SqlEndpoint endpoint =
        SqlEndpoint.start(FixedRowsReader.of(new Table(List.of(), List.of(), true)))) {
      assertThat(stack(Optional.empty()).withSql(endpoint))
          .isEqualTo(
              stack(
                  Optional.of(
                      new RunningStack.Sql(
                          "duckdb:///fixed.db", endpoint.url(), endpoint.token()))));
    }
  }

  @Test
  public void aStackOfAnOlderVersionHasNoSql() {
    stack(Optional.empty()).write(file());
    RunningStack found = RunningStack.find(file()).orElseThrow();
    assertThat(found.onlineStore()).isEqualTo("redis://127.0.0.1:2");
    assertThat(found.sql()).isEmpty();
  }

  @Test
  public void onlyItsOwnerCanReadTheFileAlsoInPlaceOfOneThatEverybodyCouldRead() throws Exception {
    Files.writeString(file(), "process=1");
    Files.setPosixFilePermissions(file(), PosixFilePermissions.fromString("rw-r--r--"));

    stack(Optional.of(SQL)).write(file());

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file())))
        .isEqualTo("rw-------");
    assertThat(temporary.getRoot().list()).asList().containsExactly("local.properties");
  }

  @Test
  public void leavesNoTokenBehindWhenTheFileCannotBeWritten() throws Exception {
    Files.createDirectories(file().resolve("in-the-way"));

    assertThrows(UncheckedIOException.class, () -> stack(Optional.of(SQL)).write(file()));

    assertThat(temporary.getRoot().list()).asList().containsExactly("local.properties");
  }

  @Test
  public void doesNotShowTheToken() {
    assertThat(stack(Optional.of(SQL)).toString()).contains(SQL.url());
    assertThat(stack(Optional.of(SQL)).toString()).doesNotContain(SQL.token());
  }

  @Test
  public void isNotFoundWhenItsProcessHasEnded() {
    RunningStack stack = stack(Optional.of(SQL));
    new RunningStack(
            stack.resultBus(),
            stack.deadLetterBus(),
            stack.deadLetterOverflow(),
            stack.onlineStore(),
            stack.flink(),
            stack.metrics(),
            stack.process(),
            stack.processStarted().minusSeconds(1),
            stack.sql(),
            stack.uploads())
        .write(file());
    assertThat(RunningStack.find(file())).isEmpty();
  }

  @Test
  public void removesItsFileButNotThatOfAnotherStack() {
    RunningStack first = stack(Optional.empty());
    RunningStack second = stack(Optional.of(SQL));
    second.write(file());

    first.remove(file());
    assertThat(RunningStack.find(file())).hasValue(second);

    second.remove(file());
    assertThat(Files.exists(file())).isFalse();
  }

  private Path file() {
    return temporary.getRoot().toPath().resolve("local.properties");
  }

  private static RunningStack stack(Optional<RunningStack.Sql> sql) {
    ProcessHandle self = ProcessHandle.current();
    return new RunningStack(
        "kafka://127.0.0.1:1/result-bus",
        "kafka://127.0.0.1:1/dead-letters",
        Optional.of("/tmp/large-dead-letters"),
        "redis://127.0.0.1:2",
        "http://127.0.0.1:3",
        "http://127.0.0.1:4/metrics",
        self.pid(),
        Instant.ofEpochMilli(self.info().startInstant().orElseThrow().toEpochMilli()),
        sql,
        Optional.of(
            new RunningStack.Uploads("kafka://127.0.0.1:1/bulk-upload", "file:///uploads")));
  }
}

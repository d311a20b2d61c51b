package io.tailrace.pipelines.local;

import java.io.IOException;
import java.io.Reader;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.util.Optional;
import java.util.Properties;

/**
 * Where the parts of a {@link LocalStack} are that runs on this machine, so that tools in another
 * shell find them without being told. The stack that was started last is the one they find.
 *
 * @param deadLetterOverflow where what is too large for the dead-letter bus is; empty for a stack
 *     of an older version
 * @param metrics where Prometheus finds the writers' metrics; empty for a stack of an older version
 * @param process id of the process that it runs in
 * @param processStarted when that process started, since ids are used again; the epoch if unknown
 * @param sql how its offline store is queried; empty for a stack of an older version
 * @param uploads how files with results are loaded; empty for a stack of an older version
 */
public record RunningStack(
    String resultBus,
    String deadLetterBus,
    Optional<String> deadLetterOverflow,
    String onlineStore,
    String flink,
    String metrics,
    long process,
    Instant processStarted,
    Optional<Sql> sql,
    Optional<Uploads> uploads) {

  /**
   * How the offline store of a stack is queried: by the process that has opened it.
   *
   * @param offlineStore URI of the store
   * @param url where its {@link SqlEndpoint} listens
   * @param token what the endpoint wants to be shown; a secret
   */
  public record Sql(String offlineStore, String url, String token) {
    @Override
    public String toString() {
      return "Sql[offlineStore=" + offlineStore + ", url=" + url + "]";
    }
  }

  /**
   * How files with results are loaded.
   *
   * @param bus URI of the bus for messages that name them
   * @param bucket URI of the folder that they are loaded from
   */
  public record Uploads(String bus, String bucket) {}

  /** Describes a stack in this JVM. */
  static RunningStack of(LocalStack stack) {
    ProcessHandle self = ProcessHandle.current();
    return new RunningStack(
        stack.resultBus(),
        stack.deadLetterBus(),
        Optional.of(stack.deadLetterOverflow()),
        stack.onlineStore(),
        stack.flinkUrl(),
        stack.metricsUrl(),
        self.pid(),
        started(self),
        Optional.empty(),
        Optional.of(new Uploads(stack.bulkUploadBus(), stack.uploadBucket())));
  }

  /** Returns the same stack, whose offline store is queried at an endpoint. */
  RunningStack withSql(SqlEndpoint endpoint) {
    return new RunningStack(
        resultBus,
        deadLetterBus,
        deadLetterOverflow,
        onlineStore,
        flink,
        metrics,
        process,
        processStarted,
        Optional.of(new Sql(endpoint.offlineStore(), endpoint.url(), endpoint.token())),
        uploads);
  }

  /** Returns the file of the user who runs this program: {@code ~/.tailrace/local.properties}. */
  public static Path defaultFile() {
    return Path.of(System.getProperty("user.home", "."), ".tailrace", "local.properties");
  }

  /** Returns the stack that a file tells of, if it still runs. */
  public static Optional<RunningStack> find(Path file) {
    return read(file).filter(RunningStack::isRunning);
  }

  private static Optional<RunningStack> read(Path file) {
    Properties properties = new Properties();
    try (Reader in = Files.newBufferedReader(file)) {
      properties.load(in);
      return Optional.of(
          new RunningStack(
              properties.getProperty("resultBus", ""),
              properties.getProperty("deadLetterBus", ""),
              Optional.ofNullable(properties.getProperty("deadLetterOverflow")),
              properties.getProperty("onlineStore", ""),
              properties.getProperty("flink", ""),
              properties.getProperty("metrics", ""),
              Long.parseLong(properties.getProperty("process", "0")),
              Instant.ofEpochMilli(Long.parseLong(properties.getProperty("processStarted", "0"))),
              sql(properties),
              uploads(properties)));
    } catch (IOException | IllegalArgumentException e) {
      // No stack has run here, or somebody else wrote the file: then it tells of none.
      return Optional.empty();
    }
  }

  private static Optional<Sql> sql(Properties properties) {
    Sql sql =
        new Sql(
            properties.getProperty("offlineStore", ""),
            properties.getProperty("sql", ""),
            properties.getProperty("sqlToken", ""));
    return sql.url().isEmpty() ? Optional.empty() : Optional.of(sql);
  }

  private static Optional<Uploads> uploads(Properties properties) {
    Uploads uploads =
        new Uploads(
            properties.getProperty("bulkUploadBus", ""),
            properties.getProperty("uploadBucket", ""));
    return uploads.bus().isEmpty() ? Optional.empty() : Optional.of(uploads);
  }

  private boolean isRunning() {
    return ProcessHandle.of(process)
        .filter(ProcessHandle::isAlive)
        .filter(it -> started(it).equals(processStarted))
        .isPresent();
  }

  private static Instant started(ProcessHandle process) {
    return Instant.ofEpochMilli(
        process.info().startInstant().map(Instant::toEpochMilli).orElse(0L));
  }

  /** Writes the file, which nobody but its owner may read. */
  void write(Path file) {
    Properties properties = new Properties();
    properties.setProperty("resultBus", resultBus);
    properties.setProperty("deadLetterBus", deadLetterBus);
    deadLetterOverflow.ifPresent(it -> properties.setProperty("deadLetterOverflow", it));
    properties.setProperty("onlineStore", onlineStore);
    properties.setProperty("flink", flink);
    properties.setProperty("metrics", metrics);
    properties.setProperty("process", Long.toString(process));
    properties.setProperty("processStarted", Long.toString(processStarted.toEpochMilli()));
    uploads.ifPresent(
        it -> {
          properties.setProperty("bulkUploadBus", it.bus());
          properties.setProperty("uploadBucket", it.bucket());
        });
    sql.ifPresent(
        it -> {
          properties.setProperty("offlineStore", it.offlineStore());
          properties.setProperty("sql", it.url());
          properties.setProperty("sqlToken", it.token());
        });
    try {
      Path directory = Files.createDirectories(file.toAbsolutePath().getParent());
      // Created for its owner alone: rights taken away later would come too late for the token.
      Path fresh = Files.createTempFile(directory, file.getFileName() + ".", "");
      try {
        try (Writer out = Files.newBufferedWriter(fresh)) {
          properties.store(out, "The local stack of Tailrace that was started last");
        }
        Files.move(
            fresh, file, StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(fresh);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot write " + file, e);
    }
  }

  /** Deletes the file, unless another stack has taken it over. */
  void remove(Path file) {
    if (read(file).filter(this::equals).isPresent()) {
      try {
        Files.deleteIfExists(file);
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot delete " + file, e);
      }
    }
  }
}

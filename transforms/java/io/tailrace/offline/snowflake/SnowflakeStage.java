package io.tailrace.offline.snowflake;

import static io.tailrace.sql.snowflake.SnowflakeDialect.SNOWFLAKE;
import static java.util.Objects.requireNonNull;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.staging.BucketAccess;
import io.tailrace.offline.staging.BucketStage;
import io.tailrace.offline.staging.Stage;
import io.tailrace.offline.warehouse.Statements;
import io.tailrace.offline.warehouse.WarehouseSession;
import java.sql.SQLException;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * An internal stage, which is reached through a session by PUT, LIST, GET and REMOVE; or a folder
 * in a bucket, which Snowflake reads by a storage integration. References that were restored may
 * point into either. Immutable.
 *
 * @param server whose it is
 * @param uri its name with database and schema, behind an at sign; or the bucket's address
 * @param access how a bucket is reached
 */
record SnowflakeStage(SnowflakeServer server, String uri, BucketAccess access) implements Stage {
  private static final long serialVersionUID = 1;

  /** Files that are removed by one statement. */
  private static final int REMOVED_AT_ONCE = 500;

  @Override
  public Stage at(String other) {
    return new SnowflakeStage(server, other, access);
  }

  @Override
  public Connection open() {
    return isInternal()
        ? new OpenStage(new WarehouseSession(server))
        : new BucketStage(uri, access, form()).open();
  }

  /** Returns whether it is one of Snowflake's own. */
  boolean isInternal() {
    return isInternal(uri);
  }

  static boolean isInternal(String uri) {
    return uri.startsWith("@");
  }

  /** Returns the address of a folder in a bucket as Snowflake writes it. */
  static String location(String uri) {
    return uri.replaceFirst("^gs:", "gcs:") + "/";
  }

  /** Returns what stands behind FROM for files of a bucket. */
  static String bucketSource(String uri, String integration) {
    return SNOWFLAKE.literal(location(uri)) + " STORAGE_INTEGRATION = " + integration;
  }

  private final class OpenStage implements Connection {
    private final WarehouseSession session;
    private boolean isThere;

    OpenStage(WarehouseSession session) {
      this.session = session;
    }

    private <T> T run(WarehouseSession.Work<T> work) throws UnavailableException {
      return session.require(
          statements -> {
            if (!isThere) {
              create(statements);
              isThere = true;
            }
            return work.run(statements);
          });
    }

    /** Files go to a folder of this machine first, as the driver takes many from one at once. */
    @Override
    public void put(Map<String, byte[]> files) throws UnavailableException {
      Map<String, List<String>> byFolder =
          files.keySet().stream().collect(Collectors.groupingBy(SnowflakeStage::folder));
      for (Map.Entry<String, List<String>> each : byFolder.entrySet()) {
        try (LocalFolder local = LocalFolder.create(server.text())) {
          for (String name : each.getValue()) {
            local.write(
                name.substring(each.getKey().length() + 1), requireNonNull(files.get(name)));
          }
          long put = run(statements -> put(statements, local, each.getKey()));
          if (put != each.getValue().size()) {
            throw new UnavailableException(
                server.text()
                    + ": "
                    + put
                    + " of "
                    + each.getValue().size()
                    + " files were put into "
                    + uri);
          }
        }
      }
    }

    private long put(Statements statements, LocalFolder local, String folder)
        throws SQLException, UnavailableException {
      List<String> answers =
          statements.query(
              "PUT "
                  + SNOWFLAKE.literal("file://" + local.path() + "/*")
                  + " "
                  + SNOWFLAKE.literal(uri + "/" + folder + "/")
                  + " AUTO_COMPRESS = FALSE SOURCE_COMPRESSION = NONE OVERWRITE = TRUE",
              row -> row.getString("status") + ": " + row.getString("message"));
      for (String answer : answers) {
        if (!answer.startsWith("UPLOADED") && !answer.startsWith("SKIPPED")) {
          throw new UnavailableException(server.text() + ": PUT into " + uri + ": " + answer);
        }
      }
      return answers.size();
    }

    @Override
    public Optional<byte[]> read(String name) throws UnavailableException {
      try (LocalFolder local = LocalFolder.create(server.text())) {
        List<String> got =
            run(
                statements ->
                    statements.query(
                        "GET "
                            + SNOWFLAKE.literal(uri + "/" + name)
                            + " "
                            + SNOWFLAKE.literal("file://" + local.path() + "/"),
                        row -> row.getString("status") + ": " + row.getString("message")));
        if (got.isEmpty()) {
          return Optional.empty();
        }
        if (!got.get(0).startsWith("DOWNLOADED")) {
          throw new UnavailableException(server.text() + ": GET of " + name + ": " + got.get(0));
        }
        return Optional.of(local.read(name.substring(name.lastIndexOf('/') + 1)));
      }
    }

    @Override
    public List<Entry> list() throws UnavailableException {
      // The stage's own name is before the names of its files, in small letters.
      return run(
          statements ->
              statements.query(
                  "LIST " + SNOWFLAKE.literal(uri),
                  row ->
                      new Entry(
                          row.getString("name").substring(row.getString("name").indexOf('/') + 1),
                          ZonedDateTime.parse(
                                  row.getString("last_modified"),
                                  DateTimeFormatter.RFC_1123_DATE_TIME)
                              .toInstant())));
    }

    @Override
    public void delete(Collection<String> names) throws UnavailableException {
      Map<String, List<String>> byFolder =
          names.stream().collect(Collectors.groupingBy(SnowflakeStage::folder));
      for (Map.Entry<String, List<String>> each : byFolder.entrySet()) {
        for (List<String> some : Lists.partition(each.getValue(), REMOVED_AT_ONCE)) {
          String pattern =
              some.stream()
                  .map(name -> name.substring(name.lastIndexOf('/') + 1))
                  // Letters, digits, '-', '_' and dots.
                  .map(name -> name.replace(".", "[.]"))
                  .collect(Collectors.joining("|", ".*/(", ")"));
          List<String> unused =
              run(
                  statements ->
                      statements.query(
                          "REMOVE "
                              + SNOWFLAKE.literal(uri + "/" + each.getKey() + "/")
                              + " PATTERN = "
                              + SNOWFLAKE.literal(pattern),
                          row -> row.getString("name")));
        }
      }
    }

    @Override
    public void close() {
      session.close();
    }
  }

  private static String folder(String name) {
    return name.substring(0, Math.max(0, name.lastIndexOf('/')));
  }

  /** Creates it unless it is there, with its schema. */
  void create(Statements statements) throws SQLException {
    String[] parts = uri.substring(1).split("\\.", -1);
    statements.execute("CREATE SCHEMA IF NOT EXISTS " + parts[0] + "." + parts[1]);
    statements.execute("CREATE STAGE IF NOT EXISTS " + uri.substring(1));
  }
}

package io.tailrace.sql.duckdb;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.duckdb.DuckDBConnection;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An open DuckDB file: the one instance that everybody in this process shares, closed when the last
 * one lets go of it. Thread-safe.
 *
 * <p>The library must be loaded once in a process: two copies of it would open the same file twice
 * and overwrite each other.
 */
public final class DuckDbFile {
  private static final Logger LOG = LoggerFactory.getLogger(DuckDbFile.class);

  private static final Map<Path, DuckDbFile> OPEN = new HashMap<>();

  /**
   * Files that are open for one query, which other instances in this process exclude, as they have
   * other settings. Guarded by {@link #OPEN}, which is notified when one is closed.
   */
  private static final Set<Path> LOOKED_AT = new HashSet<>();

  /** What DuckDB says of a log that it can't read; see {@link #readLog}. */
  private static final String UNREADABLE_LOG = "GetDefaultDatabase with no default database set";

  /** Stands before the cause, where the statement was closed because of it. */
  private static final Pattern CLOSED =
      Pattern.compile(
          "^Invalid Input Error: Attempting to execute an unsuccessful[^\\n]*\nError: ");

  private static final Pattern ERROR_TYPE =
      Pattern.compile("(?:" + CLOSED + ")?([A-Za-z ]{1,40}(?:Error|Exception)): ");

  private static final Pattern OWNER = Pattern.compile("\\(PID (\\d+)");

  private final Path path;
  private final DuckDBConnection root;
  private final FileOwner owner;
  private final Set<Connection> connections = ConcurrentHashMap.newKeySet();
  private final WriteBack writeBack;
  private int users;
  private boolean broken;

  /** Held by whoever changes the file: fair, so that nobody waits for ever. */
  private final ReentrantLock writing = new ReentrantLock(true);

  private DuckDbFile(Path path, DuckDBConnection root, FileOwner owner, DuckDbSettings settings)
      throws SQLException {
    this.path = path;
    this.root = root;
    this.owner = owner;
    try (Statement statement = root.createStatement()) {
      if (settings.fastCompression()) {
        statement.execute("SET GLOBAL disabled_compression_methods='fsst,dict_fsst'");
      }
      this.writeBack = new WriteBack(this, settings, statement);
    }
  }

  /**
   * Opens the file, or joins those who have it open; {@link #release} it.
   *
   * @throws UnavailableException if another process has it open, or it is not a file of DuckDB
   */
  public static DuckDbFile open(Path path, DuckDbSettings settings) throws UnavailableException {
    synchronized (OPEN) {
      Path real = real(path);
      awaitLookers(real);
      DuckDbFile file = OPEN.get(real);
      if (file == null || file.broken) {
        file = openAsOwner(real, settings);
        OPEN.put(real, file);
      }
      file.users++;
      return file;
    }
  }

  private static DuckDbFile openAsOwner(Path path, DuckDbSettings settings)
      throws UnavailableException {
    FileOwner owner = FileOwner.of(path);
    boolean done = false;
    try {
      DuckDBConnection root = connectForWriting(path, settings);
      try {
        DuckDbFile file = new DuckDbFile(path, root, owner, settings);
        done = true;
        return file;
      } catch (SQLException e) {
        close(root);
        throw failed(path, e);
      }
    } finally {
      if (!done) {
        owner.close();
      }
    }
  }

  @GuardedBy("OPEN")
  private static void awaitLookers(Path path) throws UnavailableException {
    try {
      while (LOOKED_AT.contains(path)) {
        OPEN.wait();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("interrupted while a query had " + path + " open", e);
    }
  }

  /** Finds the one name of a file, also of one that is still to be made. */
  private static Path real(Path path) throws UnavailableException {
    Path parent = path.toAbsolutePath().getParent();
    try {
      if (parent != null) {
        Files.createDirectories(parent);
        return Files.exists(path)
            ? path.toRealPath()
            : parent.toRealPath().resolve(path.getFileName());
      }
      return path.toRealPath();
    } catch (IOException e) {
      throw new UnavailableException("the directory of " + path + " can't be used: " + e, e);
    }
  }

  private static DuckDBConnection connectForWriting(Path path, DuckDbSettings settings)
      throws UnavailableException {
    try {
      return connect(path, settings.forWriting());
    } catch (UnavailableException e) {
      if (!String.valueOf(e.getMessage()).contains(UNREADABLE_LOG)) {
        throw e;
      }
      LOG.info("The log of {} is read in another way: {}", path, e.getMessage());
      readLog(path);
      return connect(path, settings.forWriting());
    }
  }

  /**
   * Reads a log that DuckDB can't read when it opens the file as its first, and writes it back into
   * the tables: the log of a table that was altered while it had a default with a function.
   */
  private static void readLog(Path path) throws UnavailableException {
    try (Connection beside = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = beside.createStatement()) {
      statement.execute("ATTACH " + DuckDbDialect.DUCKDB.literal(path.toString()) + " AS unread");
      statement.execute("CHECKPOINT unread");
    } catch (SQLException e) {
      throw failed(path, e);
    }
  }

  private static DuckDBConnection connect(Path path, Properties properties)
      throws UnavailableException {
    try {
      return inUtc(DriverManager.getConnection("jdbc:duckdb:" + path, properties))
          .unwrap(DuckDBConnection.class);
    } catch (SQLException e) {
      throw failed(path, e);
    }
  }

  /** Makes a connection of its own to the instance. */
  public Connection duplicate() throws UnavailableException {
    try {
      connections.removeIf(DuckDbFile::isClosed);
      Connection connection = inUtc(root.duplicate());
      connections.add(connection);
      return connection;
    } catch (SQLException e) {
      throw failed(path, e);
    }
  }

  private static boolean isClosed(Connection connection) {
    try {
      return connection.isClosed();
    } catch (SQLException e) {
      return true;
    }
  }

  private static Connection inUtc(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute("SET TimeZone='UTC'");
      return connection;
    } catch (SQLException e) {
      close(connection);
      throw e;
    }
  }

  /** Returns the lock that whoever changes the file holds. */
  public ReentrantLock writing() {
    return writing;
  }

  Path path() {
    return path;
  }

  /** Says that rows were inserted into a table. */
  public void inserted(String table, long rows) {
    writeBack.inserted(table, rows);
  }

  /**
   * Writes the log back if many tables were inserted into since that was done: each holds memory
   * until then. For whoever holds the lock of writers and has committed.
   */
  public void limitChangedTables(Statement statement) throws SQLException {
    writeBack.limitChangedTables(statement);
  }

  /**
   * Says that the file was changed: when its log has grown large, it is written back into the
   * tables, while others go on inserting.
   */
  public void changed() throws UnavailableException {
    writeBack.changed();
  }

  /** Waits while the log is written back, unless so many rows may be inserted beside that. */
  public void awaitRoom(long rows) throws UnavailableException {
    writeBack.awaitRoom(rows);
  }

  /**
   * Returns how often the log could not be written back since somebody last asked, whoever did: it
   * is tried again after the next change, and grows until then.
   */
  public long takeFailedWriteBacks() {
    return writeBack.takeFailed();
  }

  /** Lets go of the file; whoever is the last waits until its log has been written back. */
  public void release() throws UnavailableException {
    Optional<Thread> running = tryRelease();
    while (running.isPresent()) {
      writeBack.join(running.get());
      running = tryRelease();
    }
  }

  /** Lets go of the file, or returns what has to end before. */
  private Optional<Thread> tryRelease() throws UnavailableException {
    synchronized (OPEN) {
      Optional<Thread> running = writeBack.running();
      if (users == 1 && running.isPresent()) {
        return running;
      }
      users--;
      if (users == 0) {
        OPEN.remove(path, this);
        try {
          root.close();
        } catch (SQLException e) {
          throw failed(path, e);
        } finally {
          owner.close();
        }
      }
      return Optional.empty();
    }
  }

  /**
   * Describes a failure. After a fatal one the instance is closed, whoever still has a connection
   * to it, and the next who opens the file gets a new one.
   */
  public UnavailableException failure(SQLException e) {
    if (errorType(e).equals("FATAL Error")) {
      synchronized (OPEN) {
        broken = true;
        OPEN.remove(path, this);
        owner.close();
      }
      for (Connection each : connections) {
        close(each);
      }
      close(root);
    }
    return failed(path, e);
  }

  private static void close(Connection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      LOG.debug("A connection can't be closed: {}", e.getMessage());
    }
  }

  /**
   * Returns what DuckDB calls an error, such as {@code IO Error}; empty if it is none of DuckDB's.
   * What follows in the message may quote rows.
   */
  public static String errorType(SQLException e) {
    Matcher type = ERROR_TYPE.matcher(String.valueOf(e.getMessage()));
    return type.lookingAt() ? type.group(1) : "";
  }

  private static UnavailableException failed(Path path, SQLException e) {
    String message = String.valueOf(e.getMessage());
    boolean isFile = errorType(e).equals("IO Error");
    if (isFile && message.contains("Could not set lock")) {
      Matcher owner = OWNER.matcher(message);
      return new UnavailableException(
          path
              + " is in use by another process"
              + (owner.find() ? " (" + owner.group(1) + ")" : "")
              + ": DuckDB lets one process open a file; stop that one, or let it do this",
          e);
    }
    if (isFile && message.contains("not a valid DuckDB database file")) {
      return new UnavailableException(path + " is not a file of DuckDB", e);
    }
    return new UnavailableException(path + ": " + cause(message), e);
  }

  /**
   * Returns the line of a message that says what is wrong: what follows may quote rows, and before
   * it may stand that a statement came to nothing.
   */
  public static String cause(String message) {
    return CLOSED.matcher(message).replaceFirst("").lines().findFirst().orElse("");
  }

  /** What is looked at. */
  public interface Look<T> {
    /** Runs a query. */
    T at(Connection connection) throws SQLException;
  }

  /** Looks at a file by the instance of this process, or, if it has none, for itself alone. */
  public static <T> T look(Path path, DuckDbSettings settings, Look<T> look)
      throws UnavailableException {
    Path real = real(path);
    @Nullable DuckDbFile file;
    synchronized (OPEN) {
      awaitLookers(real);
      file = OPEN.get(real);
      if (file == null) {
        LOOKED_AT.add(real);
      } else {
        file.users++;
      }
    }
    if (file == null) {
      try (Connection alone = connect(real, settings.forReading())) {
        return look.at(alone);
      } catch (SQLException e) {
        throw refused(e);
      } finally {
        synchronized (OPEN) {
          LOOKED_AT.remove(real);
          OPEN.notifyAll();
        }
      }
    }
    try (Connection connection = file.duplicate();
        Statement statement = connection.createStatement()) {
      statement.execute("BEGIN TRANSACTION READ ONLY");
      return look.at(connection);
    } catch (SQLException e) {
      throw refused(e);
    } finally {
      file.release();
    }
  }

  private static UnavailableException refused(SQLException e) {
    String message = CLOSED.matcher(String.valueOf(e.getMessage())).replaceFirst("");
    return new UnavailableException("DuckDB refuses the query: " + message, e);
  }
}

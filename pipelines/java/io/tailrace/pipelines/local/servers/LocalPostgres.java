package io.tailrace.pipelines.local.servers;

import io.zonky.test.db.postgres.embedded.DefaultPostgresBinaryResolver;
import io.zonky.test.db.postgres.util.LinuxUtils;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.compressors.xz.XZCompressorInputStream;
import org.jspecify.annotations.Nullable;

/**
 * A real PostgreSQL server in a child process, reachable on the loopback address only: PostgreSQL
 * 16 as bundled with its library, with one database, {@code postgres}, and one user, {@code
 * tailrace}, who may do everything.
 *
 * <p>The server's program, its data and its log, {@code postgres.log}, are in the directory, and so
 * is the user's password, which is made when the directory is and which the {@link #uri()} points
 * to. The data outlive {@link #stop()} and {@link #close()}. The process ends with this JVM,
 * however the JVM ends. Where the JVM runs as root, which PostgreSQL refuses, the server runs in a
 * user namespace of its own.
 *
 * <p>Thread-safe, except for the builder.
 */
public final class LocalPostgres implements AutoCloseable {
  private static final String HOST = "127.0.0.1";
  private static final String USER = "tailrace";
  private static final String DATABASE = "postgres";
  private static final String SERVER = "server";
  private static final String DATA = "data";
  private static final String LOG = "postgres.log";
  private static final Duration START_TIMEOUT = Duration.ofSeconds(60);
  private static final Duration STOP_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration POLL = Duration.ofMillis(20);
  private static final int PASSWORD_BYTES = 16;

  private final Path directory;
  private final int port;
  private final Map<String, String> settings;
  private @Nullable ServerProcess process;

  private LocalPostgres(Path directory, int port, Map<String, String> settings) {
    this.directory = directory;
    this.port = port;
    this.settings = settings;
  }

  /** Starts a server with the default settings on a free port; see {@link #in(Path)} for others. */
  public static LocalPostgres start(Path directory) {
    return in(directory).start();
  }

  /**
   * A description of a server, to be started with {@link Builder#start()}.
   *
   * @param directory where all its files are, or will be; created if missing
   */
  public static Builder in(Path directory) {
    return new Builder(directory.toAbsolutePath());
  }

  /**
   * The address of the database, with the user, and where the user's password is: {@code
   * postgresql://127.0.0.1:port/postgres?user=tailrace&password=file:PATH}.
   */
  public String uri() {
    String path = passwordFile().toString().replace("%", "%25").replace("&", "%26");
    return "postgresql://"
        + HOST
        + ":"
        + port
        + "/"
        + DATABASE
        + "?user="
        + USER
        + "&password=file:"
        + path;
  }

  /** The port it listens on; the same for the life of this object. */
  public int port() {
    return port;
  }

  /**
   * A new connection of the user who may do everything. The caller closes it.
   *
   * @throws SQLException if the server does not run
   */
  public Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("user", USER);
    properties.setProperty("password", read(passwordFile()));
    return DriverManager.getConnection(
        "jdbc:postgresql://" + HOST + ":" + port + "/" + DATABASE, properties);
  }

  /** Whether the process runs. */
  public synchronized boolean isRunning() {
    return process != null && process.isAlive();
  }

  /** Breaks all connections and ends the process. Does nothing if it has ended. */
  public synchronized void stop() {
    if (process != null) {
      ServerProcess ending = process;
      process = null;
      if (ending.isAlive()) {
        // What a process is usually asked to end with makes this one wait for its clients.
        run(List.of(program("pg_ctl"), "stop", "-D", data(), "-m", "fast", "-w"), STOP_TIMEOUT);
      }
      ending.stop(Duration.ZERO);
    }
  }

  /**
   * Starts the server again, on the same port and with the same data, after stopping it if it runs.
   */
  public synchronized void restart() {
    stop();
    startProcess();
  }

  /** Ends the process. The directory stays. */
  @Override
  public void close() {
    stop();
  }

  private synchronized void startProcess() {
    // A server that could not bind would leave the readiness check to whoever listens there.
    if (!FreePorts.isFree(port)) {
      throw new IllegalStateException("PostgreSQL cannot start: port " + port + " is taken");
    }
    awaitEndOfPredecessor();
    List<String> command = new ArrayList<>(asAllowedUser());
    command.addAll(List.of(program("postgres"), "-D", data(), "-p", Integer.toString(port)));
    settings.forEach((name, value) -> command.addAll(List.of("-c", name + "=" + value)));
    ServerProcess starting =
        ServerProcess.start(command, directory, Map.of(), directory.resolve(LOG));
    starting.awaitReady("PostgreSQL in " + directory, START_TIMEOUT, this::whyNotReady);
    process = starting;
  }

  /**
   * The server of a JVM that was killed is killed, too, but is there until whoever inherited it has
   * noticed, and as long the next one refuses to start.
   */
  private void awaitEndOfPredecessor() {
    long deadline = System.nanoTime() + STOP_TIMEOUT.toNanos();
    Path lock = directory.resolve(DATA).resolve("postmaster.pid");
    try {
      while (Files.exists(lock)
          && ProcessHandle.of(Long.parseLong(Files.readAllLines(lock).get(0))).isPresent()
          && System.nanoTime() < deadline) {
        Thread.sleep(POLL.toMillis());
      }
    } catch (IOException | RuntimeException e) {
      // It is being removed, or damaged, of which the server has more to say.
      return;
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private Optional<Exception> whyNotReady() {
    try {
      connect().close();
      return Optional.empty();
    } catch (SQLException e) {
      return Optional.of(e);
    }
  }

  /** The file with the user's password. */
  public Path passwordFile() {
    return directory.resolve("password");
  }

  private String data() {
    return directory.resolve(DATA).toString();
  }

  private String program(String name) {
    return directory.resolve(SERVER).resolve("bin").resolve(name).toString();
  }

  private static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + file, e);
    }
  }

  /** What stands before a command so that it does not run as root. */
  private static List<String> asAllowedUser() {
    return LinuxUtils.isUnshareAvailable() ? List.of("unshare", "-U") : List.of();
  }

  /** Runs one of the server's programs to its end. */
  private void run(List<String> command, Duration timeout) {
    List<String> whole = new ArrayList<>(asAllowedUser());
    whole.addAll(command);
    Path output = directory.resolve(LOG);
    try {
      Process running =
          new ProcessBuilder(whole)
              .directory(directory.toFile())
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.appendTo(output.toFile()))
              .start();
      running.getOutputStream().close();
      if (!running.waitFor(timeout.toMillis(), TimeUnit.MILLISECONDS)) {
        running.destroyForcibly().waitFor();
      }
      if (running.exitValue() != 0) {
        throw new IllegalStateException(command.get(0) + " fails; see " + output);
      }
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot run " + command.get(0), e);
    } catch (InterruptedException e) {
      throw interrupted(e);
    }
  }

  private static IllegalStateException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new IllegalStateException("Interrupted while waiting for PostgreSQL", e);
  }

  /**
   * Makes the directory's contents, unless they are there: what is half made has another name until
   * it is whole.
   */
  private void prepare() throws IOException {
    Files.createDirectories(directory);
    if (Files.notExists(directory.resolve(SERVER))) {
      Path extracting = Files.createTempDirectory(directory, SERVER);
      extractServer(extracting);
      Files.move(extracting, directory.resolve(SERVER), StandardCopyOption.ATOMIC_MOVE);
    }
    if (Files.notExists(directory.resolve(DATA))) {
      Path creating = Files.createTempDirectory(directory, DATA);
      createData(creating);
      Files.move(creating, directory.resolve(DATA), StandardCopyOption.ATOMIC_MOVE);
    }
  }

  private void createData(Path target) throws IOException {
    byte[] password = new byte[PASSWORD_BYTES];
    new SecureRandom().nextBytes(password);
    Files.deleteIfExists(passwordFile());
    Files.createFile(
        passwordFile(),
        PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.writeString(passwordFile(), HexFormat.of().formatHex(password));
    run(
        List.of(
            program("initdb"),
            "--pgdata=" + target,
            "--username=" + USER,
            "--auth=scram-sha-256",
            "--pwfile=" + passwordFile(),
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync"),
        START_TIMEOUT);
  }

  private static void extractServer(Path target) throws IOException {
    try (InputStream bundled =
            DefaultPostgresBinaryResolver.INSTANCE.getPgBinary(
                System.getProperty("os.name").startsWith("Mac") ? "Darwin" : "Linux",
                System.getProperty("os.arch"));
        TarArchiveInputStream archive =
            new TarArchiveInputStream(
                new XZCompressorInputStream(new BufferedInputStream(bundled)))) {
      TarArchiveEntry entry = archive.getNextEntry();
      while (entry != null) {
        extract(archive, entry, target);
        entry = archive.getNextEntry();
      }
    }
  }

  private static void extract(TarArchiveInputStream archive, TarArchiveEntry entry, Path directory)
      throws IOException {
    Path target = directory.resolve(entry.getName()).normalize();
    if (!target.startsWith(directory)) {
      throw new IOException("the bundled server has a file outside of it: " + entry.getName());
    }
    if (entry.isDirectory()) {
      Files.createDirectories(target);
      return;
    }
    Files.createDirectories(target.resolveSibling("."));
    if (entry.isSymbolicLink()) {
      Files.createSymbolicLink(target, Path.of(entry.getLinkName()));
      return;
    }
    Files.copy(archive, target);
    boolean unused = target.toFile().setExecutable((entry.getMode() & 0100) != 0);
  }

  /** Describes a server before it starts. Not thread-safe. */
  public static final class Builder {
    private final Path directory;
    private final Map<String, String> settings = new LinkedHashMap<>();
    private int port = 0;

    private Builder(Path directory) {
      this.directory = directory;
      setting("listen_addresses", HOST);
      setting("unix_socket_directories", "");
    }

    /** Listens on this port instead of a free one; 0 means a free one. */
    public Builder port(int port) {
      this.port = port;
      return this;
    }

    /** Sets a parameter of {@code postgresql.conf}. */
    public Builder setting(String name, String value) {
      settings.put(name, value);
      return this;
    }

    /**
     * Starts the server and returns when it answers.
     *
     * @throws UncheckedIOException if the directory cannot be written
     * @throws IllegalStateException if the port is taken or the server does not start
     */
    public LocalPostgres start() {
      LocalPostgres postgres =
          new LocalPostgres(
              directory, port == 0 ? FreePorts.next() : port, new LinkedHashMap<>(settings));
      try {
        postgres.prepare();
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot prepare PostgreSQL in " + directory, e);
      }
      postgres.startProcess();
      return postgres;
    }
  }
}

package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.ClientSetInfoConfig;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.embedded.core.ExecutableProvider;

/**
 * A real Redis server in a child process, reachable on the loopback address. It is Redis 6.2 as
 * bundled with its library unless another executable is named.
 *
 * <p>By default it keeps nothing on disk, limits no memory and asks for no password. With {@link
 * Builder#appendOnly()} its data are in the directory and outlive {@link #stop()} and {@link
 * #close()}. Its log is {@code redis.log} in the directory. The process ends with this JVM, however
 * the JVM ends.
 *
 * <p>Thread-safe, except for the builder.
 */
public final class LocalRedis implements AutoCloseable {
  private static final String HOST = "127.0.0.1";
  private static final Duration START_TIMEOUT = Duration.ofSeconds(30);
  private static final Duration STOP_GRACE = Duration.ofMillis(900);

  private final Path directory;
  private final Path executable;
  private final int port;
  private final boolean tls;
  private final Map<String, String> environment;
  private final JedisClientConfig client;
  private @Nullable ServerProcess process;

  private LocalRedis(Builder builder, Path executable, int port) {
    this.directory = builder.directory;
    this.executable = executable;
    this.port = port;
    this.tls = builder.tls.isPresent();
    this.environment = Map.copyOf(builder.environment);
    this.client = builder.clientConfig();
  }

  /** Starts a server with the default settings on a free port; see {@link #in(Path)} for others. */
  public static LocalRedis start(Path directory) {
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
   * The server's address: {@code redis://127.0.0.1:port}, or {@code rediss://} if it speaks TLS.
   * Never contains a password.
   */
  public String uri() {
    return (tls ? "rediss://" : "redis://") + HOST + ":" + port;
  }

  /** The port it listens on; the same for the life of this object. */
  public int port() {
    return port;
  }

  /**
   * A new connection, authenticated with the password or as the first user, and trusting the
   * server's certificate. The caller closes it.
   */
  public Jedis connect() {
    return new Jedis(new HostAndPort(HOST, port), client);
  }

  /** The server's version, for example {@code 6.2.6}. */
  public String version() {
    try (Jedis jedis = connect()) {
      return jedis
          .info("server")
          .lines()
          .filter(line -> line.startsWith("redis_version:"))
          .map(line -> line.substring("redis_version:".length()).trim())
          .findFirst()
          .orElseThrow(() -> new IllegalStateException("Redis does not say its version"));
    }
  }

  /** Whether the process runs. */
  public synchronized boolean isRunning() {
    return process != null && process.isAlive();
  }

  /** Ends the process within a second. Does nothing if it has ended. */
  public synchronized void stop() {
    if (process != null) {
      process.stop(STOP_GRACE);
      process = null;
    }
  }

  /**
   * Starts the server again, on the same port and with the same settings, after stopping it if it
   * runs. It has its data again if it is append-only.
   */
  public synchronized void restart() {
    stop();
    startProcess();
  }

  /** Has the process stand still, with its connections open, until it is thawed. */
  public synchronized void freeze() {
    signal("STOP");
  }

  /** Has it go on. */
  public synchronized void thaw() {
    signal("CONT");
  }

  private void signal(String name) {
    if (process == null) {
      throw new IllegalStateException("Redis does not run");
    }
    process.signal(name);
  }

  /** Ends the process within a second. The directory stays. */
  @Override
  public void close() {
    stop();
  }

  private synchronized void startProcess() {
    // A server that could not bind would leave the readiness check to whoever listens there.
    if (!FreePorts.isFree(port)) {
      throw new IllegalStateException("Redis cannot start: port " + port + " is taken");
    }
    ServerProcess starting =
        ServerProcess.start(
            List.of(executable.toString(), configFile(directory).toString()),
            directory,
            environment,
            directory.resolve("redis.log"));
    starting.awaitReady("Redis in " + directory, START_TIMEOUT, this::whyNotReady);
    process = starting;
  }

  private Optional<Exception> whyNotReady() {
    try (Jedis jedis = connect()) {
      jedis.ping();
      return Optional.empty();
    } catch (JedisConnectionException e) {
      return Optional.of(e);
    } catch (JedisDataException e) {
      // A user without the right to PING has an answer too.
      return String.valueOf(e.getMessage()).startsWith("LOADING")
          ? Optional.of(e)
          : Optional.empty();
    }
  }

  private static Path configFile(Path directory) {
    return directory.resolve("redis.conf");
  }

  /** Describes a server before it starts. Not thread-safe. */
  public static final class Builder {
    private record Tls(Path certificate, Path key, Path authority) {}

    private record User(String name, String password, List<String> rules) {}

    private final Path directory;
    private final List<User> users = new ArrayList<>();
    private final List<String> settings = new ArrayList<>();
    private final Map<String, String> environment = new HashMap<>();
    private Optional<Path> executable = Optional.empty();
    private Optional<String> password = Optional.empty();
    private Optional<Tls> tls = Optional.empty();
    private boolean cluster = false;
    private int port = 0;

    private Builder(Path directory) {
      this.directory = directory;
      setting("bind", HOST);
      setting("save", "");
    }

    /** Listens on this port instead of a free one; 0 means a free one. */
    public Builder port(int port) {
      this.port = port;
      return this;
    }

    /** Runs this {@code redis-server} instead of the bundled one. */
    public Builder executable(Path executable) {
      this.executable = Optional.of(executable.toAbsolutePath());
      return this;
    }

    /** Keeps the data in the directory, so that they outlive a restart. */
    public Builder appendOnly() {
      return setting("appendonly", "yes");
    }

    /** Refuses to grow above this many bytes: writes then fail and nothing is evicted. */
    public Builder maxMemory(long bytes) {
      return setting("maxmemory", Long.toString(bytes)).setting("maxmemory-policy", "noeviction");
    }

    /** Asks the default user for a password. */
    public Builder password(String password) {
      this.password = Optional.of(password);
      return this;
    }

    /**
     * Adds a user with rules as {@code ACL SETUSER} knows them, for example {@code "~*", "+@all"}.
     * The default user is then off unless it has a password.
     */
    public Builder user(String name, String password, String... rules) {
      users.add(new User(name, password, List.of(rules)));
      return this;
    }

    /**
     * Speaks TLS only, with these PEM files. A client's certificate is checked against the
     * authority if it shows one, and not required.
     */
    public Builder tls(Path certificate, Path key, Path authority) {
      tls = Optional.of(new Tls(certificate, key, authority));
      return this;
    }

    /** Makes the server a node that can join a cluster; see {@link LocalRedisCluster}. */
    Builder clusterNode(Duration nodeTimeout) {
      cluster = true;
      return setting("cluster-enabled", "yes")
          .setting("cluster-announce-ip", HOST)
          .setting("cluster-node-timeout", Long.toString(nodeTimeout.toMillis()));
    }

    /** Sets a variable of the process's environment, for example {@code LC_ALL}. */
    public Builder environment(String name, String value) {
      environment.put(name, value);
      return this;
    }

    /** Adds a directive of {@code redis.conf} with its arguments. */
    public Builder setting(String name, String... arguments) {
      StringJoiner line = new StringJoiner(" ").add(name);
      for (String argument : arguments) {
        line.add(quoted(argument));
      }
      settings.add(line.toString());
      return this;
    }

    /**
     * Starts the server and returns when it answers.
     *
     * @throws UncheckedIOException if the directory cannot be written or the executable not run
     * @throws IllegalStateException if the port is taken or the server does not start
     */
    public LocalRedis start() {
      int chosen = port != 0 ? port : cluster ? FreePorts.nextWithClusterBus() : FreePorts.next();
      try {
        Files.createDirectories(directory);
        Path file = executable.isPresent() ? executable.get() : extractExecutable(directory);
        writeConfig(chosen);
        LocalRedis redis = new LocalRedis(this, file, chosen);
        redis.startProcess();
        return redis;
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot prepare Redis in " + directory, e);
      }
    }

    private void writeConfig(int port) throws IOException {
      List<String> lines = new ArrayList<>(settings);
      tls.ifPresentOrElse(
          files -> {
            lines.add("port 0");
            lines.add("tls-port " + port);
            lines.add("tls-cert-file " + quoted(files.certificate().toString()));
            lines.add("tls-key-file " + quoted(files.key().toString()));
            lines.add("tls-ca-cert-file " + quoted(files.authority().toString()));
            lines.add("tls-auth-clients optional");
          },
          () -> lines.add("port " + port));
      password.ifPresent(secret -> lines.add("requirepass " + quoted(secret)));
      if (!users.isEmpty() && password.isEmpty()) {
        lines.add("user default off");
      }
      for (User user : users) {
        StringJoiner line = new StringJoiner(" ").add("user").add(user.name()).add("on");
        line.add(quoted(">" + user.password()));
        user.rules().forEach(line::add);
        lines.add(line.toString());
      }
      Path file = configFile(directory);
      Files.write(file, List.of());
      // It holds passwords.
      file.toFile().setReadable(false, /* ownerOnly= */ false);
      file.toFile().setReadable(true, /* ownerOnly= */ true);
      Files.write(file, lines);
    }

    private JedisClientConfig clientConfig() {
      DefaultJedisClientConfig.Builder config =
          DefaultJedisClientConfig.builder()
              .timeoutMillis((int) START_TIMEOUT.toMillis())
              .clientSetInfoConfig(ClientSetInfoConfig.DISABLED);
      if (password.isPresent()) {
        config.password(password.get());
      } else if (!users.isEmpty()) {
        config.user(users.get(0).name()).password(users.get(0).password());
      }
      tls.ifPresent(
          files ->
              config
                  .ssl(true)
                  .sslSocketFactory(TrustedAuthority.sslSocketFactory(files.authority())));
      return config.build();
    }

    private static String quoted(String argument) {
      return '"' + argument.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
    }
  }

  /** Writes the executable for this operating system and processor into a directory. */
  public static Path extractExecutable(Path directory) throws IOException {
    return ExecutableProvider.newJarResourceProvider(directory.toFile()).get().toPath();
  }
}

package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint;
import org.apache.flink.runtime.taskexecutor.TaskManagerRunner;
import org.jspecify.annotations.Nullable;

/**
 * A standalone Flink cluster on this machine: a JobManager and TaskManagers, each a process of its
 * own that can be killed, with checkpoints on disk. They run Flink's own entry points on the class
 * path of this JVM, which stands for the jar that a user would ship.
 *
 * <p>A session cluster unless it is told to be one of an {@link Builder#application}. All files are
 * below the directory: {@code checkpoints} and {@code savepoints} as of {@link LocalFlink}, the
 * configuration in {@code conf}, what the processes print in {@code *.log}. The processes end with
 * this JVM, however it ends. Not thread-safe, but for {@link #cluster()}.
 */
public final class StandaloneFlink implements AutoCloseable {
  private static final Duration GRACE = Duration.ofSeconds(2);

  /** Before what Flink says of a program that has failed stands what the program said. */
  private static final int LAST_LINES = 40;

  private static final String JOB_MANAGER = "jobmanager";

  private final Builder description;
  private final RemoteFlink cluster;

  /** By their ids, the oldest first. */
  private final Map<String, ServerProcess> taskManagers = new LinkedHashMap<>();

  private @Nullable ServerProcess jobManager;
  private int started;

  private StandaloneFlink(Builder description, int port) {
    this.description = description;
    this.cluster =
        new RemoteFlink(
            "127.0.0.1:" + port,
            FlinkSettings.emptyJar(description.directory),
            description.directory.resolve("savepoints"));
  }

  /**
   * A description of a cluster, to be started with {@link Builder#start()}.
   *
   * @param directory where all its files are, or will be; created if missing
   */
  public static Builder in(Path directory) {
    return new Builder(directory.toAbsolutePath());
  }

  /** The cluster, to submit jobs to and to ask. */
  public FlinkCluster cluster() {
    return cluster;
  }

  /** How often a job has taken up state, be it of an earlier job. */
  public long restores(JobID job) {
    return cluster.restores(job);
  }

  /** How many TaskManagers have been started and not killed. */
  public int taskManagers() {
    return taskManagers.size();
  }

  /** Starts one more TaskManager, and returns when the cluster has its slots. */
  public void addTaskManager() {
    startTaskManager();
    awaitTaskManagers();
  }

  /** Returns which TaskManagers jobs run on, from 0, the oldest first. */
  public List<Integer> busyTaskManagers() {
    Set<String> busy = cluster.busyTaskManagers();
    List<String> all = List.copyOf(taskManagers.keySet());
    return IntStream.range(0, all.size()).filter(i -> busy.contains(all.get(i))).boxed().toList();
  }

  /**
   * Kills a TaskManager as the kernel does when memory runs out.
   *
   * @param which from 0, the oldest first
   */
  public void killTaskManager(int which) {
    remove(which).kill();
  }

  /** Stops a TaskManager as an operator does who scales down. */
  public void stopTaskManager(int which) {
    remove(which).stop(GRACE);
  }

  private ServerProcess remove(int which) {
    String id = List.copyOf(taskManagers.keySet()).get(which);
    ServerProcess process = taskManagers.remove(id);
    if (process == null) {
      throw new IllegalStateException(id + " is not there");
    }
    return process;
  }

  /** Waits until the cluster has noticed who is there and who is not. */
  public void awaitTaskManagers() {
    RemoteFlink.await(
        () -> {
          checkTaskManagers();
          return cluster.taskManagers().equals(taskManagers.keySet());
        },
        "the TaskManagers are not " + taskManagers.keySet());
  }

  /**
   * Looks at the TaskManagers.
   *
   * @throws IllegalStateException with the last that it printed, if one has ended by itself
   */
  public void checkTaskManagers() {
    taskManagers.values().forEach(StandaloneFlink::checkAlive);
  }

  private static void checkAlive(ServerProcess process) {
    if (!process.isAlive()) {
      throw new IllegalStateException("A process has ended:\n" + process.lastOutput(LAST_LINES));
    }
  }

  /** Kills the JobManager; the TaskManagers stay, and end their tasks when they notice. */
  public void killJobManager() {
    if (jobManager != null) {
      jobManager.kill();
      jobManager = null;
    }
  }

  /** Starts a JobManager, which knows of no job, and waits for the TaskManagers. */
  public void startJobManager() {
    List<String> program =
        description.application.isEmpty()
            ? JavaCommand.of(flags(), StandaloneSessionClusterEntrypoint.class.getName())
            : JavaCommand.of(flags(), ApplicationCluster.class.getName());
    List<String> command = new ArrayList<>(program);
    if (description.application.isEmpty()) {
      command.add("--configDir");
    }
    command.add(description.conf().toString());
    command.addAll(description.application);
    ServerProcess starting = start(command, JOB_MANAGER);
    jobManager = starting;
    RemoteFlink.await(
        () -> {
          checkAlive(starting);
          return answers();
        },
        "the JobManager does not answer");
    awaitTaskManagers();
  }

  private boolean answers() {
    try {
      return cluster.slots() >= 0;
    } catch (UncheckedIOException e) {
      return false;
    }
  }

  private void startTaskManager() {
    String name = "taskmanager-" + started++;
    List<String> flags = description.container.map(TaskManagerContainer::flags).orElse(flags());
    List<String> command =
        new ArrayList<>(JavaCommand.of(flags, TaskManagerRunner.class.getName()));
    command.addAll(
        List.of(
            "--configDir", description.conf().toString(), "-D", "taskmanager.resource-id=" + name));
    command.addAll(description.container.map(TaskManagerContainer::sizes).orElse(List.of()));
    taskManagers.put(
        name, start(description.container.map(it -> it.inside(command)).orElse(command), name));
  }

  /** Returns the most memory that the TaskManagers have had, each by itself, in bytes. */
  public long peakTaskManagerBytes() {
    return taskManagers.values().stream().mapToLong(ServerProcess::peakBytes).max().orElse(0);
  }

  private ServerProcess start(List<String> command, String name) {
    return ServerProcess.start(
        command,
        description.directory,
        // An arena of glibc for each thread would be memory that nobody counts.
        Map.of("MALLOC_ARENA_MAX", "2"),
        description.directory.resolve(name + ".log"));
  }

  private List<String> flags() {
    return StandaloneSettings.flags(description.heapMegabytes, description.compiler);
  }

  /**
   * Returns the job of an application cluster when its program has started it.
   *
   * @throws IllegalStateException if the JobManager has ended instead, with what it printed last
   */
  public JobID awaitApplication() {
    ServerProcess running = running();
    RemoteFlink.await(
        () -> {
          checkAlive(running);
          try {
            return !cluster.jobs().isEmpty();
          } catch (UncheckedIOException e) {
            return false;
          }
        },
        "the program has started no job");
    return cluster.jobs().get(0).id();
  }

  private ServerProcess running() {
    if (jobManager == null) {
      throw new IllegalStateException("The JobManager does not run");
    }
    return jobManager;
  }

  /**
   * Stops the job of an application cluster with a savepoint, and returns when the JobManager has
   * ended with it, as one does whose program is over.
   *
   * @return the savepoint's URI
   * @throws IllegalStateException if the JobManager ends in another way
   */
  public String stopApplication(JobID job) {
    ServerProcess running = running();
    String savepoint = cluster.savepointOfStop(job);
    RemoteFlink.await(() -> !running.isAlive(), "the application does not end");
    jobManager = null;
    if (running.exitCode() != 0) {
      throw new IllegalStateException(
          "The application has failed with "
              + running.exitCode()
              + ":\n"
              + running.lastOutput(LAST_LINES));
    }
    return savepoint;
  }

  /** Returns the URI of the last checkpoint of a job that is complete, if there is one. */
  public Optional<String> lastCheckpoint(JobID job) {
    Path all = description.directory.resolve("checkpoints").resolve(job.toString());
    if (Files.notExists(all)) {
      return Optional.empty();
    }
    try (Stream<Path> found = Files.list(all)) {
      return found
          .filter(path -> path.getFileName().toString().startsWith("chk-"))
          .filter(path -> Files.exists(path.resolve("_metadata")))
          .max(
              Comparator.comparingLong(
                  path -> Long.parseLong(path.getFileName().toString().substring(4))))
          .map(path -> path.toUri().toString());
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + all, e);
    }
  }

  /** Ends all processes. */
  @Override
  public void close() {
    killJobManager();
    taskManagers.values().forEach(ServerProcess::kill);
    taskManagers.clear();
  }

  /** Describes a cluster before it starts. Not thread-safe. */
  public static final class Builder {
    private final Path directory;
    private final Configuration settings = new Configuration();
    private final List<String> application = new ArrayList<>();
    private int taskManagers = 2;
    private int slots = 2;
    private int heapMegabytes = 256;

    /** For a few minutes, the optimizing compiler would take more than it gives. */
    private int compiler = 1;

    private Optional<TaskManagerContainer> container = Optional.empty();

    private Builder(Path directory) {
      this.directory = directory;
    }

    /** Starts so many TaskManagers instead of 2. */
    public Builder taskManagers(int count) {
      taskManagers = count;
      return this;
    }

    /** Offers so many task slots in each TaskManager instead of 2. */
    public Builder slots(int count) {
      slots = count;
      return this;
    }

    /** Gives each process so many mebibytes of heap instead of 256. */
    public Builder heapMegabytes(int megabytes) {
      heapMegabytes = megabytes;
      return this;
    }

    /** Compiles as for work, where it is speed that is looked at. */
    public Builder optimized() {
      compiler = 4;
      return this;
    }

    /**
     * Has TaskManagers, whose number of slots has been said, run with memory as Flink's scripts
     * divide it.
     *
     * @param group bounds them, where the machine lets us
     * @param memory Flink's options that say how
     * @param flags of their JVMs, beside those that follow from these
     */
    public Builder container(
        Optional<MemoryGroup> group, Map<String, String> memory, List<String> flags) {
      container = Optional.of(TaskManagerContainer.of(group, memory, flags, slots));
      return this;
    }

    /** Sets any of Flink's options by its name; it wins over the ones here. */
    public Builder setting(String name, String value) {
      settings.setString(name, value);
      return this;
    }

    /**
     * Runs one program, in the JobManager, instead of waiting for jobs: an application cluster.
     *
     * @param main the program's main class
     * @param arguments the program's
     */
    public Builder application(Class<?> main, List<String> arguments) {
      application.add(main.getName());
      application.addAll(arguments);
      return this;
    }

    private Path conf() {
      return directory.resolve("conf");
    }

    /**
     * Starts the processes and returns when jobs can be submitted.
     *
     * @throws UncheckedIOException if the directory can't be written
     * @throws IllegalStateException if a process does not start
     */
    public StandaloneFlink start() {
      int port = FreePorts.next();
      try {
        DirectoryTree.empty(LocalFlink.work(directory));
        Files.createDirectories(conf());
        Files.write(
            conf().resolve("flink-conf.yaml"),
            configuration(port).toMap().entrySet().stream()
                .map(setting -> setting.getKey() + ": " + setting.getValue())
                .toList());
      } catch (IOException e) {
        throw new UncheckedIOException("Cannot prepare Flink in " + directory, e);
      }
      StandaloneFlink flink = new StandaloneFlink(this, port);
      try {
        for (int i = 0; i < taskManagers; i++) {
          flink.startTaskManager();
        }
        flink.startJobManager();
        return flink;
      } catch (RuntimeException e) {
        flink.close();
        throw e;
      }
    }

    private Configuration configuration(int port) {
      Configuration all = StandaloneSettings.of(directory, port, slots, heapMegabytes);
      all.addAll(settings);
      return all;
    }
  }
}

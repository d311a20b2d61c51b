package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.pipelines.Writer;
import java.util.Locale;
import java.util.Optional;

/** What can happen to writers, or to what they need. */
public enum Fault {
  /** A TaskManager is killed, and another one is started. */
  TASK_MANAGER_KILLED,
  /** The JobManager is killed; its jobs are started anew from their last checkpoints. */
  JOB_MANAGER_KILLED,
  /** Each writer is stopped with a savepoint, and goes on with another parallelism. */
  RESCALED,
  /** A writer goes on in a cluster of its own, to which TaskManagers are added, and taken away. */
  REACTIVE,
  /** The broker is stopped, and started some seconds later. */
  BROKER_RESTARTED,
  /** Redis is stopped, and started some seconds later. */
  REDIS_RESTARTED(Server.REDIS),
  /** Redis stands still for some seconds, with its connections open. */
  REDIS_FROZEN(Server.REDIS),
  /** A replica of Redis takes over. */
  REDIS_FAILED_OVER(Server.REDIS),
  /** PostgreSQL is stopped, and started some seconds later. */
  POSTGRES_RESTARTED(Server.POSTGRES),
  /** All connections to a server are cut, again and again. */
  CONNECTIONS_CUT,
  /** A server's answers are cut off in their middle, again and again. */
  CONNECTIONS_TRUNCATED,
  /** Everything that servers say comes late. */
  CONNECTIONS_DELAYED,
  /** The topic has messages twice, and old ones behind newer ones. */
  REPEATED,
  /** Nothing is published for a while, and then one message. */
  IDLE;

  private final Optional<Server> server;

  Fault() {
    server = Optional.empty();
  }

  Fault(Server server) {
    this.server = Optional.of(server);
  }

  /** Returns whether it reaches a writer; one of any server, or of none, reaches all. */
  boolean reaches(Writer<?> writer) {
    return server.map(it -> it.serves(writer)).orElse(true);
  }

  /** Returns its name on the command line and in reports. */
  public String words() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  @Override
  public String toString() {
    return words();
  }
}

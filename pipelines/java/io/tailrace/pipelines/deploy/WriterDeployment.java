package io.tailrace.pipelines.deploy;

import io.tailrace.pipelines.Writer;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;

/**
 * A writer as it is to run in a cluster. Immutable.
 *
 * @param name of the deployment, which its pods begin with
 * @param job what it does
 * @param pod what its task managers run in
 * @param jobManager what the process gets that runs the writer's program and leads the others
 */
record WriterDeployment(String name, Job job, Scaling scaling, Pod pod, Resources jobManager) {
  /**
   * What a writer does.
   *
   * @param arguments what it is started with, such as {@code --resultBus=…}
   * @param queue what it reads; empty where no scaler knows that kind of bus
   * @param ports that it connects to
   * @param isSuspended whether it is to stand still
   */
  record Job(
      Writer<?> writer,
      List<String> arguments,
      Optional<MessageQueue> queue,
      Set<Integer> ports,
      boolean isSuspended) {
    /** Copies the collections. */
    Job {
      arguments = List.copyOf(arguments);
      ports = Collections.unmodifiableSet(new TreeSet<>(ports));
    }
  }
}

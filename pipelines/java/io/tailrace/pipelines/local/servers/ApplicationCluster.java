package io.tailrace.pipelines.local.servers;

import java.util.Arrays;
import org.apache.flink.client.deployment.application.ApplicationClusterEntryPoint;
import org.apache.flink.client.program.PackagedProgram;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.runtime.entrypoint.ClusterEntrypoint;
import org.apache.flink.runtime.resourcemanager.StandaloneResourceManagerFactory;

/**
 * A JobManager of one job, as {@code standalone-job.sh} starts it: Flink's own entry point for that
 * is in its distribution alone, and does what this one does.
 */
@SuppressWarnings("try") // Its close may throw InterruptedException, as Flink declares it.
public final class ApplicationCluster extends ApplicationClusterEntryPoint {
  private ApplicationCluster(Configuration configuration, PackagedProgram program) {
    super(configuration, program, StandaloneResourceManagerFactory.getInstance());
  }

  /** Its one job may have as many copies as there are slots. */
  @Override
  protected boolean supportsReactiveMode() {
    return true;
  }

  /** Runs one: the directory of the configuration, the program's main class, its arguments. */
  public static void main(String[] args) throws Exception {
    Configuration configuration = GlobalConfiguration.loadConfiguration(args[0]);
    PackagedProgram program =
        PackagedProgram.newBuilder()
            .setEntryPointClassName(args[1])
            .setArguments(Arrays.copyOfRange(args, 2, args.length))
            .setConfiguration(configuration)
            .build();
    configureExecution(configuration, program);
    ClusterEntrypoint.runClusterEntrypoint(new ApplicationCluster(configuration, program));
  }
}

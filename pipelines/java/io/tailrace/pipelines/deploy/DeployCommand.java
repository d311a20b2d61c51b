package io.tailrace.pipelines.deploy;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes what runs the writers in a cluster. */
@Command(
    name = "deploy",
    mixinStandardHelpOptions = true,
    description = {
      "What runs the writers on Kubernetes: makes the manifests from one file that lists them,"
          + " and says how a cluster differs from it.",
      "",
      "deploy render writers.yaml | kubectl apply -f -   start them, or change what runs",
      "deploy diff writers.yaml                          how what runs differs"
    },
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {RenderCommand.class, DiffCommand.class})
public final class DeployCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which command? render or diff");
  }
}

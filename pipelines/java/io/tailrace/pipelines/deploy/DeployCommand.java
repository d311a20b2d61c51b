package io.tailrace.pipelines.deploy;

import io.tailrace.pipelines.deploy.dataflow.FlexTemplateCommand;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes what runs the writers in a cluster. */
@Command(
    name = "deploy",
    mixinStandardHelpOptions = true,
    description = {
      "What runs the writers: manifests for Kubernetes from one file that lists them, and how a"
          + " cluster differs from it; and templates for Dataflow.",
      "",
      "deploy render writers.yaml | kubectl apply -f -   start them, or change what runs",
      "deploy diff writers.yaml                          how what runs differs",
      "deploy flex-template --output=DIRECTORY          templates of all writers, for Dataflow"
    },
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {RenderCommand.class, DiffCommand.class, FlexTemplateCommand.class})
public final class DeployCommand implements Runnable {
  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Which command? render, diff or flex-template");
  }
}

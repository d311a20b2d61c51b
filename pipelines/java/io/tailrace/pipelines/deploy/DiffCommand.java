package io.tailrace.pipelines.deploy;

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.KubernetesClientException;
import io.tailrace.pipelines.CommandException;
import java.io.PrintWriter;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Says how a running namespace differs from a file that lists writers. */
@Command(
    name = "diff",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Says how what runs in a cluster differs from a file that lists writers, a line for each"
          + " difference. It changes nothing. Who the cluster is, and who asks it, is in"
          + " ~/.kube/config, or where KUBECONFIG says.",
      "",
      "For example:",
      "",
      "deploy diff writers.yaml --context=production"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:nothing differs",
      "1:the file is wrong, or the cluster does not answer",
      "2:wrong use",
      "3:something differs"
    })
public final class DiffCommand implements Callable<Integer> {
  private static final int DIFFERS = 3;

  @Mixin private WriterFiles files = new WriterFiles();

  @Option(
      names = "--context",
      paramLabel = "NAME",
      description = "The context of the configuration of kubectl. Default: its current one.")
  private @Nullable String context;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws CommandException {
    try (KubernetesClient client =
        new KubernetesClientBuilder().withConfig(Config.autoConfigure(context)).build()) {
      return difference(client);
    }
  }

  /** Compares with a cluster. */
  int difference(KubernetesClient client) throws CommandException {
    Deployment deployment = files.deployment(spec);
    List<String> differences;
    try {
      differences =
          new ClusterDifference(client, deployment.shared().namespace())
              .of(new Manifests(deployment.shared()).all(deployment.writers()));
    } catch (KubernetesClientException e) {
      throw new CommandException(
          "the cluster at "
              + client.getMasterUrl()
              + " can't be asked: "
              + String.valueOf(e.getMessage()).lines().findFirst().orElse("")
              + "; see whether 'kubectl get flinkdeployments' works, or name a --context",
          e);
    }
    PrintWriter out = spec.commandLine().getOut();
    differences.forEach(out::println);
    out.flush();
    return differences.isEmpty() ? 0 : DIFFERS;
  }
}

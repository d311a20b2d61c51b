package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.tailrace.pipelines.CommandException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Makes Kubernetes manifests of a file that lists writers. */
@Command(
    name = "render",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes the manifests that run the writers which a file lists, each as a Flink cluster of its"
          + " own, scaled by KEDA on the depth of its queue. Everything that is wrong with the file"
          + " is said at once, a line each.",
      "",
      "For example:",
      "",
      "deploy render writers.yaml | kubectl apply -f -"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:the manifests are written", "1:the file is wrong, and how", "2:wrong use"})
public final class RenderCommand implements Callable<Integer> {
  @Parameters(
      index = "0",
      paramLabel = "FILE",
      description =
          "The file, in YAML or JSON; or the JSON of a background-persistence deployment.")
  private Path file = Path.of("");

  @Option(
      names = "--with",
      paramLabel = "FILE",
      description =
          "A file without writers, with what else holds for all of them: image, state, secret,"
              + " options. The JSON of a background-persistence deployment names no stores: they"
              + " stand here.")
  private @Nullable Path with;

  @Option(
      names = "--kafkaUser",
      paramLabel = "NAME",
      description =
          "Who logs in to Kafka, which the JSON of a background-persistence deployment does not"
              + " say. The password is the key "
              + PersistenceBuses.PASSWORD
              + " of the Secret.")
  private @Nullable String kafkaUser;

  @Option(
      names = "--output",
      paramLabel = "DIRECTORY",
      description =
          "Write a file for each writer, and a kustomization, into this directory. Default: all to"
              + " standard output.")
  private @Nullable Path output;

  @Option(
      names = "--base",
      paramLabel = "DIRECTORY",
      description =
          "With --output: what all writers share is in this other kustomization, as the output is"
              + " to name it, such as ../../base. Default: it is written, too.")
  private @Nullable String base;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws CommandException {
    Deployment deployment = DeploymentFile.parse(read(file), beside());
    PrintWriter err = spec.commandLine().getErr();
    deployment.notes().forEach(note -> err.println("note: " + note));
    err.flush();
    Path directory = output;
    if (directory == null) {
      Manifests manifests = new Manifests(deployment.shared());
      List<ObjectNode> all = new ArrayList<>(manifests.shared());
      deployment.writers().forEach(writer -> all.addAll(manifests.of(writer)));
      PrintWriter out = spec.commandLine().getOut();
      out.print(Manifests.yaml(all));
      out.flush();
    } else {
      for (Map.Entry<String, String> each : files(deployment, base).entrySet()) {
        write(directory.resolve(each.getKey()), each.getValue());
      }
    }
    return 0;
  }

  private DeploymentFile.Beside beside() throws CommandException {
    Path common = with;
    return new DeploymentFile.Beside(
        common == null ? Optional.empty() : Optional.of(read(common)),
        Optional.ofNullable(kafkaUser));
  }

  /**
   * Returns the files of a kustomization, by name.
   *
   * @param base where what all writers share is; null: among them
   */
  static Map<String, String> files(Deployment deployment, @Nullable String base) {
    Manifests manifests = new Manifests(deployment.shared());
    Map<String, String> files = new LinkedHashMap<>();
    List<String> resources = new ArrayList<>();
    if (base == null) {
      files.put("shared.yaml", Manifests.yaml(manifests.shared()));
      resources.add("shared.yaml");
    } else {
      resources.add(base);
    }
    for (WriterDeployment writer : deployment.writers()) {
      String name = writer.name() + ".yaml";
      files.put(name, Manifests.yaml(manifests.of(writer)));
      resources.add(name);
    }
    files.put(
        "kustomization.yaml",
        Manifests.yaml(
            List.of(
                Tree.object(
                    "apiVersion",
                    "kustomize.config.k8s.io/v1beta1",
                    "kind",
                    "Kustomization",
                    "resources",
                    resources))));
    return files;
  }

  /** Reads a file of writers. */
  static String read(Path file) throws CommandException {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new CommandException(file + " can't be read: " + e, e);
    }
  }

  private static void write(Path file, String text) throws CommandException {
    try {
      Files.createDirectories(file.toAbsolutePath().getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new CommandException(file + " can't be written: " + e, e);
    }
  }
}

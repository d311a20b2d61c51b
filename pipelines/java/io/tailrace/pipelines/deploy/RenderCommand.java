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
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
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
  @Mixin private WriterFiles files = new WriterFiles();

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
    Deployment deployment = files.deployment(spec);
    Path directory = output;
    if (directory == null) {
      PrintWriter out = spec.commandLine().getOut();
      out.print(Manifests.yaml(new Manifests(deployment.shared()).all(deployment.writers())));
      out.flush();
    } else {
      for (Map.Entry<String, String> each : files(deployment, base).entrySet()) {
        write(directory.resolve(each.getKey()), each.getValue());
      }
    }
    return 0;
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
    if (!manifests.state().isEmpty()) {
      files.put("state.yaml", Manifests.yaml(manifests.state()));
      resources.add("state.yaml");
    }
    for (WriterDeployment writer : deployment.writers()) {
      String name = writer.name() + ".yaml";
      files.put(name, Manifests.yaml(manifests.of(writer)));
      resources.add(name);
    }
    files.put("kustomization.yaml", kustomization(resources, patches(deployment, base)));
    return files;
  }

  /** Returns what a base does not say of the service account. */
  private static List<ObjectNode> patches(Deployment deployment, @Nullable String base) {
    Deployment.Account account = deployment.shared().account();
    if (base == null || account.annotations().isEmpty()) {
      return List.of();
    }
    return List.of(
        Tree.object(
            "target",
            Tree.object("kind", "ServiceAccount", "name", account.name()),
            "patch",
            Manifests.yaml(
                    List.of(
                        Tree.manifest(
                            "v1",
                            "ServiceAccount",
                            Tree.object(
                                "name", account.name(), "annotations", account.annotations()),
                            Tree.nothing())))
                .replaceFirst("^---\n", "")));
  }

  private static String kustomization(List<String> resources, List<ObjectNode> patches) {
    return Manifests.yaml(
        List.of(
            Tree.object(
                "apiVersion",
                "kustomize.config.k8s.io/v1beta1",
                "kind",
                "Kustomization",
                "resources",
                resources,
                "patches",
                patches)));
  }

  /**
   * Returns the files of a base: what all writers share, whatever cloud they are in.
   *
   * @param deployment any that says nothing else of its service account
   */
  static Map<String, String> base(Deployment deployment) {
    Map<String, String> files = new LinkedHashMap<>();
    files.put("shared.yaml", Manifests.yaml(new Manifests(deployment.shared()).shared()));
    files.put("kustomization.yaml", kustomization(List.of("shared.yaml"), List.of()));
    return files;
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

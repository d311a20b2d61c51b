package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.JsonNode;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.deploy.DeploymentFile.Beside;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.Assume;

/** The kustomizations among the templates: what is there, and what kubectl makes of it. */
final class KubernetesTemplates {
  static final Path ROOT = Path.of("templates/kubernetes");
  static final List<String> OVERLAYS = List.of("aws", "gcp", "minimal");
  private static final String SOURCE = "writers.yaml";

  private KubernetesTemplates() {}

  static Path overlay(String name) {
    return ROOT.resolve("overlays").resolve(name);
  }

  /** Returns what an overlay's own file wants. */
  static Deployment deployment(String overlay) throws IOException, CommandException {
    return DeploymentFile.parse(Files.readString(overlay(overlay).resolve(SOURCE)), Beside.NOTHING);
  }

  /** Returns the files of a kustomization but for that from which the others are made. */
  static Map<String, String> files(Path directory) throws IOException {
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> all = Files.list(directory)) {
      for (Path file : all.toList()) {
        if (!file.endsWith(SOURCE)) {
          files.put(file.getFileName().toString(), Files.readString(file));
        }
      }
    }
    return files;
  }

  /** Returns what kubectl makes of an overlay; where there is no kubectl the test is skipped. */
  static List<JsonNode> kustomized(String overlay) throws Exception {
    return StrictManifests.read(kubectl("kustomize", overlay(overlay).toString()));
  }

  static String kubectl(String... args) throws Exception {
    List<String> command = Stream.concat(Stream.of("kubectl"), Stream.of(args)).toList();
    Process process;
    try {
      process = new ProcessBuilder(command).redirectErrorStream(true).start();
    } catch (IOException e) {
      System.err.println("skipped: kubectl is not on this machine");
      Assume.assumeNoException("kubectl is not on this machine", e);
      throw e;
    }
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    if (!process.waitFor(1, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException(command + ": " + out);
    }
    return out;
  }
}

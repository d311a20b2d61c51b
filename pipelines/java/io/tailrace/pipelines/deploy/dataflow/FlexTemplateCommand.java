package io.tailrace.pipelines.deploy.dataflow;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Makes the flex templates that start the writers on Dataflow. */
@Command(
    name = "flex-template",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Makes a flex template for each writer, which starts it on Dataflow: WRITER/metadata.json for"
          + " gcloud dataflow flex-template build, WRITER/container-spec.json for gcloud dataflow"
          + " flex-template run, and a cloudbuild.yaml that builds the images and stages the"
          + " templates.",
      "",
      "For example:",
      "",
      "deploy flex-template --output=target/flex-templates"
          + " --repository=europe-west1-docker.pkg.dev/my-project/tailrace"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {"0:the files are written", "1:they can't be written", "2:wrong use"})
public final class FlexTemplateCommand implements Callable<Integer> {
  @Option(
      names = "--output",
      paramLabel = "DIRECTORY",
      required = true,
      description = "Where to write the files.")
  private Path output = Path.of("");

  @Option(
      names = "--repository",
      paramLabel = "REPOSITORY",
      defaultValue = "europe-west1-docker.pkg.dev/my-project/tailrace",
      description = "The repository that has the images. Default: ${DEFAULT-VALUE}")
  private String repository = "";

  @Option(
      names = "--tag",
      paramLabel = "TAG",
      defaultValue = "latest",
      description = "Which of the images. Default: ${DEFAULT-VALUE}")
  private String tag = "";

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws CommandException {
    Map<String, String> files = files(Writers.ALL, repository.replaceFirst("/+$", ""), tag);
    try {
      for (Map.Entry<String, String> each : files.entrySet()) {
        Path file = output.resolve(each.getKey());
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.writeString(file, each.getValue());
      }
    } catch (IOException e) {
      throw new CommandException(output + " can't be written: " + e, e);
    }
    spec.commandLine().getOut().println(files.size() + " files are in " + output);
    spec.commandLine().getOut().flush();
    return 0;
  }

  /** Returns all files, by their names. */
  static Map<String, String> files(List<Writer<?>> writers, String repository, String tag) {
    Map<String, String> files = new TreeMap<>();
    files.put(CloudBuild.FILE, CloudBuild.text(writers));
    for (Writer<?> writer : writers) {
      new FlexTemplate(writer)
          .files(repository + "/" + writer.name() + ":" + tag)
          .forEach((name, text) -> files.put(writer.name() + "/" + name, text));
    }
    return files;
  }
}

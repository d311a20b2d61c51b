package io.tailrace.pipelines.deploy;

import io.tailrace.pipelines.CommandException;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The file that lists writers, and what is said beside it: arguments of several commands. */
final class WriterFiles {
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

  /**
   * Reads the files, and notes what was not taken as it stands.
   *
   * @throws CommandException listing everything that is wrong with them
   */
  Deployment deployment(CommandSpec command) throws CommandException {
    Path common = with;
    Deployment deployment =
        DeploymentFile.parse(
            read(file),
            new DeploymentFile.Beside(
                common == null ? Optional.empty() : Optional.of(read(common)),
                Optional.ofNullable(kafkaUser)));
    PrintWriter err = command.commandLine().getErr();
    deployment.notes().forEach(note -> err.println("note: " + note));
    err.flush();
    return deployment;
  }

  private static String read(Path file) throws CommandException {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new CommandException(file + " can't be read: " + e, e);
    }
  }
}

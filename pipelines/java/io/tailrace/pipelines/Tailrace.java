package io.tailrace.pipelines;

import static java.util.Objects.requireNonNull;

import io.tailrace.pipelines.benchmark.BenchmarkCommand;
import io.tailrace.pipelines.deadletter.DeadLettersCommand;
import io.tailrace.pipelines.deploy.DeployCommand;
import io.tailrace.pipelines.local.LocalCommand;
import io.tailrace.pipelines.tools.BulkLoadCommand;
import io.tailrace.pipelines.tools.GetCommand;
import io.tailrace.pipelines.tools.OfflineResultsCommand;
import io.tailrace.pipelines.tools.PublishCommand;
import io.tailrace.pipelines.tools.SqlCommand;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/**
 * The command line: its sub-commands are the writers and the tools. Without one, {@code local}
 * runs.
 */
@Command(
    name = "tailrace",
    description = "The write path of a feature store.",
    mixinStandardHelpOptions = true,
    versionProvider = Tailrace.Version.class,
    synopsisSubcommandLabel = "COMMAND")
public final class Tailrace implements Runnable {
  /** In the order in which they are listed. */
  private static final List<Class<?>> COMMANDS =
      List.of(
          LocalCommand.class,
          PublishCommand.class,
          BulkLoadCommand.class,
          OfflineResultsCommand.class,
          GetCommand.class,
          SqlCommand.class,
          DeadLettersCommand.class,
          BenchmarkCommand.class,
          DeployCommand.class);

  @Spec private CommandSpec spec = CommandSpec.create();

  /** Runs a sub-command and exits with its code: 0 success, 1 failure, 2 wrong use. */
  public static void main(String[] args) {
    ProgramExit.with(run(Writers.ALL, args));
  }

  /** Runs a sub-command and returns its exit code. */
  static int run(List<Writer<?>> writers, String... args) {
    String[] words;
    try {
      words = args.length == 0 ? new String[] {"local"} : ArgumentFiles.expand(args);
    } catch (CommandException e) {
      System.err.println("tailrace: " + e.getMessage());
      return CommandLine.ExitCode.USAGE;
    }
    // A writer takes Beam's options as they are, which no other parser should look at.
    Optional<Writer<?>> writer =
        writers.stream().filter(it -> it.name().equals(words[0])).findFirst();
    if (writer.isPresent()) {
      return writer.get().run(System.out, System.err, Arrays.copyOfRange(words, 1, words.length));
    }
    // To make all of them takes longer than some of them run. Only 'local' runs another.
    Optional<Class<?>> named =
        COMMANDS.stream()
            .filter(it -> it != LocalCommand.class && name(it).equals(words[0]))
            .findFirst();
    return named
        .<CommandLine>map(it -> commandLine(List.of(), List.of(it)))
        .orElseGet(() -> commandLine(writers))
        .execute(words);
  }

  static CommandLine commandLine(List<Writer<?>> writers) {
    return commandLine(writers, COMMANDS);
  }

  private static CommandLine commandLine(List<Writer<?>> writers, List<Class<?>> commands) {
    CommandLine line = new CommandLine(new Tailrace());
    // Made here each, as they may change how they are read: picocli does not ask those it makes.
    commands.forEach(command -> line.addSubcommand(new CommandLine(command)));
    // They were taken out before.
    line.setExpandAtFiles(false);
    for (Writer<?> writer : writers) {
      line.addSubcommand(
          writer.name(),
          CommandSpec.wrapWithoutInspection(new StartedElsewhere())
              .usageMessage(
                  new UsageMessageSpec()
                      .description(writer.says() + " Takes Beam's pipeline options.")));
    }
    line.setCaseInsensitiveEnumValuesAllowed(true);
    NumberText.readBy(line);
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          if (e instanceof CommandException) {
            command.getErr().println(command.getCommandName() + ": " + e.getMessage());
            return CommandLine.ExitCode.SOFTWARE;
          }
          throw e;
        });
    return line;
  }

  private static String name(Class<?> command) {
    return requireNonNull(command.getAnnotation(Command.class)).name();
  }

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "Which command?");
  }

  /** Stands for a writer in the list of commands; {@link #run} starts it before picocli looks. */
  private static final class StartedElsewhere implements Runnable {
    @Override
    public void run() {
      throw new IllegalStateException("started elsewhere");
    }
  }

  /** Reads the versions that the build wrote down. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      Properties versions = new Properties();
      try (InputStream in =
          Tailrace.class.getResourceAsStream("/io/tailrace/versions.properties")) {
        if (in != null) {
          versions.load(in);
        }
      }
      return new String[] {
        "tailrace " + versions.getProperty("tailrace"),
        "Beam " + versions.getProperty("beam") + ", Flink " + versions.getProperty("flink")
      };
    }
  }
}

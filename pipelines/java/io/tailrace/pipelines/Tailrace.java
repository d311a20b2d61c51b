package io.tailrace.pipelines;

import io.tailrace.pipelines.benchmark.BenchmarkCommand;
import io.tailrace.pipelines.local.LocalCommand;
import io.tailrace.pipelines.tools.GetCommand;
import io.tailrace.pipelines.tools.PublishCommand;
import io.tailrace.pipelines.tools.SqlCommand;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Properties;
import org.apache.beam.sdk.options.PipelineOptions;
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
    synopsisSubcommandLabel = "COMMAND",
    subcommands = {
      LocalCommand.class,
      PublishCommand.class,
      GetCommand.class,
      SqlCommand.class,
      BenchmarkCommand.class
    })
public final class Tailrace implements Runnable {
  /** A writer, which is a command here and a program of its own. */
  private record Program(
      String name,
      Class<? extends PipelineOptions> options,
      Launcher.Writer writer,
      String description) {}

  private static final List<Program> WRITERS =
      List.of(
          new Program(
              OnlineWriter.NAME,
              OnlineWriterOptions.class,
              OnlineWriter::start,
              "Carries results from the result bus to the online store (Beam pipeline options)."),
          new Program(
              OfflineWriter.NAME,
              OfflineWriterOptions.class,
              OfflineWriter::start,
              "Carries results to the streaming-insert bus as Parquet files, and creates tables"
                  + " (Beam pipeline options)."),
          new Program(
              StreamingInsertWriter.NAME,
              StreamingInsertWriterOptions.class,
              StreamingInsertWriter::start,
              "Carries rows from the streaming-insert bus to the offline store (Beam pipeline"
                  + " options)."),
          new Program(
              MetricsWriter.NAME,
              MetricsWriterOptions.class,
              MetricsWriter::start,
              "Summarises results by minute and publishes that to the metrics bus (Beam pipeline"
                  + " options)."),
          new Program(
              MetricsBusWriter.NAME,
              MetricsBusWriterOptions.class,
              MetricsBusWriter::start,
              "Carries summaries from the metrics bus to the metrics store (Beam pipeline"
                  + " options)."));

  @Spec private CommandSpec spec = CommandSpec.create();

  /** Runs a sub-command and exits with its code: 0 success, 1 failure, 2 wrong use. */
  public static void main(String[] args) {
    System.exit(run(args));
  }

  /** Runs a sub-command and returns its exit code. */
  static int run(String... args) {
    String[] words = args.length == 0 ? new String[] {"local"} : args;
    // A writer takes Beam's options as they are, which no other parser should look at.
    Optional<Program> writer =
        WRITERS.stream().filter(program -> program.name.equals(words[0])).findFirst();
    if (writer.isPresent()) {
      return Launcher.run(
          writer.get().name,
          writer.get().options,
          writer.get().writer,
          Arrays.copyOfRange(words, 1, words.length));
    }
    return commandLine().execute(words);
  }

  static CommandLine commandLine() {
    CommandLine line = new CommandLine(new Tailrace());
    for (Program writer : WRITERS) {
      line.addSubcommand(
          writer.name,
          CommandSpec.wrapWithoutInspection(new StartedElsewhere())
              .usageMessage(new UsageMessageSpec().description(writer.description)));
    }
    line.setCaseInsensitiveEnumValuesAllowed(true);
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

package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import io.tailrace.testing.TallyWriter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** What the command line makes of the list of writers. */
@RunWith(JUnit4.class)
public class TailraceTest {
  private static final List<Writer<?>> WRITERS =
      Stream.concat(Writers.ALL.stream(), Stream.of(TallyWriter.WRITER)).toList();

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @Test
  public void everyWriterOfTheListIsACommandWithItsSentence() {
    assertThat(execute("--help")).isEqualTo(0);

    for (Writer<?> writer : WRITERS) {
      assertThat(words(out.toString())).contains(" " + writer.name() + " " + writer.says());
    }
  }

  @Test
  public void helpShowsEveryOptionWithItsDefaultAndAnExampleOfEveryKind() {
    for (Writer<?> writer : WRITERS) {
      Run help = start(writer, "--help");

      assertWithMessage("%s", writer).that(help.status).isEqualTo(0);
      assertThat(words(help.out)).contains(writer.says());
      for (WriterOption option : WriterOption.of(writer)) {
        assertThat(help.out).contains("  --" + option.name() + " ");
        assertThat(words(help.out)).contains(option.description());
        option
            .fallback()
            .ifPresent(
                it ->
                    assertThat(words(help.out))
                        .contains(option.description() + " Default: " + it + "."));
      }
      writer
          .endpoints()
          .values()
          .forEach(
              kinds ->
                  assertThat(words(help.out)).contains("Required. " + OptionCheck.examples(kinds)));
    }
  }

  @Test
  public void aCommandThatIsMisspeltIsAnsweredWithThoseThatAreAlike() {
    assertThat(execute("taly-writer")).isEqualTo(2);

    assertThat(err.toString()).startsWith("Unmatched argument at index 0: 'taly-writer'");
    assertThat(err.toString()).contains("Did you mean: tailrace tally-writer");
  }

  @Test
  public void commandsOfLettersTakeOptionsOfBuckets() {
    for (String command : new String[] {"list", "show", "replay", "discard", "sweep"}) {
      assertThat(execute("dead-letters", command, "--deadLetterBus=kafka://b:1/x", "--endpoint=h"))
          .isEqualTo(2);
      assertThat(err.toString())
          .startsWith("--endpoint is an option of the bucket with large letters");
      err.getBuffer().setLength(0);
    }
  }

  @Test
  public void aSoakOfMoreThanTheHeapHoldsIsRefusedBeforeAnythingIsStarted() {
    assertThat(execute("benchmark", "edges", "--seconds=100000", "--rate=1000")).isEqualTo(2);

    assertThat(err.toString())
        .contains("--seconds=100000 --rate=1000: so many results want a heap");
    assertThat(err.toString()).containsMatch("add -Dtailrace.heap=\\d+g to mvn");
  }

  @Test
  public void faultsAreDoneToAWriterWithThoseBetweenTheResultsAndItsTables() {
    assertThat(
            execute("benchmark", "faults", "--writers=bulk-insert-writer", "--only=redis-frozen"))
        .isEqualTo(2);

    assertThat(err.toString())
        .contains(
            "--only: [redis-frozen] reaches none of the writers"
                + " [offline-writer, streaming-insert-writer, bulk-insert-writer]");
  }

  @Test
  public void aTextThatIsNoNumberIsCalledThatWhereverANumberIsExpected() {
    Map<String, String> said = new TreeMap<>();
    addNumbers(Tailrace.commandLine(WRITERS), said);

    assertThat(said.size()).isAtLeast(20);
    assertThat(said.keySet()).contains("tailrace local --records");
    said.forEach(
        (option, message) ->
            assertWithMessage(option)
                .that(message)
                .matches(".*'two' is not a (whole )?number, such as 1000( or 0.5)?"));
  }

  /**
   * Gives each option that is a number, of a command and of those below it, a text that is none.
   */
  private static void addNumbers(CommandLine command, Map<String, String> said) {
    for (OptionSpec option : command.getCommandSpec().options()) {
      Class<?> type = option.type();
      if (Number.class.isAssignableFrom(type) || (type.isPrimitive() && type != boolean.class)) {
        String name = command.getCommandSpec().qualifiedName() + " " + option.longestName();
        ParameterException e =
            assertThrows(
                name,
                ParameterException.class,
                () -> command.parseArgs(option.longestName() + "=two"));
        said.put(name, String.valueOf(e.getMessage()));
      }
    }
    command.getSubcommands().values().forEach(each -> addNumbers(each, said));
  }

  @Test
  public void aNumberIsWrittenAsPeopleWriteIt() {
    CommandSpec spec = CommandSpec.create();
    for (Class<?> type : new Class<?>[] {int.class, Long.class, double.class}) {
      spec.addOption(OptionSpec.builder("--" + type.getSimpleName()).type(type).build());
    }
    CommandLine line = NumberText.readBy(new CommandLine(spec));

    for (String none : new String[] {"", "1,000", "0x10", "1e400", "NaN", "10d", "9".repeat(50)}) {
      for (String option : new String[] {"--int", "--Long", "--double"}) {
        ParameterException e =
            assertThrows(none, ParameterException.class, () -> line.parseArgs(option + "=" + none));
        assertThat(e).hasMessageThat().contains("'" + none + "' is not a ");
      }
    }
    assertThat(
            assertThrows(ParameterException.class, () -> line.parseArgs("--int=2147483648"))
                .getMessage())
        .contains("'2147483648' is not from -2147483648 to 2147483647");
    line.parseArgs("--int=-7", "--Long=9223372036854775807", "--double=2.5e3");
    assertThat(spec.findOption("--int").<Integer>getValue()).isEqualTo(-7);
    assertThat(spec.findOption("--Long").<Long>getValue()).isEqualTo(Long.MAX_VALUE);
    assertThat(spec.findOption("--double").<Double>getValue()).isEqualTo(2500.0);
  }

  @Test
  public void whatIsWrongWithTheOptionsOfAWriterIsSaidInALineEach() {
    assertThat(start(TallyWriter.WRITER, "--runner=DirectRunner", "--step=one"))
        .isEqualTo(
            wrong(
                "--resultBus is missing. " + OptionCheck.examples(io.tailrace.bus.Buses.KINDS),
                "--deadLetterBus is missing. " + OptionCheck.examples(io.tailrace.bus.Buses.KINDS),
                "--step: For input string: \"one\""));
  }

  @Test
  public void whatIsWrongWithTheArgumentsOfAWriterIsSaidInALineEach() {
    assertThat(start(TallyWriter.WRITER, "--runer=DirectRunner", "--parallelism=x"))
        .isEqualTo(
            wrong(
                "there is no option named 'runer'. Did you mean 'runner'?",
                "--parallelism=x: it must be a whole number"));
  }

  private int execute(String... args) {
    return Tailrace.commandLine(WRITERS)
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .execute(args);
  }

  private record Run(int status, String out, String err) {}

  private static Run wrong(String... problems) {
    StringBuilder lines = new StringBuilder();
    for (String problem : problems) {
      lines.append("tally-writer: ").append(problem).append(System.lineSeparator());
    }
    return new Run(2, "", lines + "Try 'tally-writer --help'." + System.lineSeparator());
  }

  private static Run start(Writer<?> writer, String... args) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    int status =
        writer.run(new PrintStream(out, true, UTF_8), new PrintStream(err, true, UTF_8), args);
    return new Run(status, out.toString(UTF_8), err.toString(UTF_8));
  }

  private static String words(String text) {
    return text.replaceAll("\\s+", " ");
  }
}

package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.testing.TallyWriter;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.stream.Stream;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

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

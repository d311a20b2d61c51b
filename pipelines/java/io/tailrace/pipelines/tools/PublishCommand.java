package io.tailrace.pipelines.tools;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.result.MessageKey;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Publishes results that people have written as JSON lines. A wrong line does not stop the others.
 */
@Command(
    name = "publish",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Publishes query results to a bus. Each line of FILE is a QueryResult in protobuf's JSON"
          + " mapping; empty lines are skipped. A line that is wrong is named and not published,"
          + " the others are.",
      "",
      "For example, with times in microseconds since 1970:",
      "",
      "{\"operationId\":\"1\",\"environmentId\":\"prod\",\"queryTimestamp\":1790000000000000,"
          + "\"frames\":[{\"namespace\":\"user\",\"int64Keys\":[42],\"columns\":[{\"feature\":"
          + "\"user.age\",\"type\":\"INT64\",\"maxStaleness\":\"9223372036854775807\","
          + "\"observedAt\":[1790000000000000],\"int64Values\":[35]}]}]}"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:every line was published",
      "1:a line was wrong, or the bus can't be used",
      "2:wrong use"
    })
public final class PublishCommand implements Callable<Integer> {
  @Option(
      names = "--bus",
      paramLabel = "URI",
      description =
          "The bus: kafka://host:9092/topic. Default: the result bus of the 'local' that was"
              + " started last on this machine.")
  private @Nullable String bus;

  @Parameters(index = "0", paramLabel = "FILE", description = "The file, or - for standard input.")
  private String file = "-";

  @Spec private CommandSpec spec = CommandSpec.create();

  private final Path stackFile;
  private final InputStream standardInput;

  /** Creates the command. */
  public PublishCommand() {
    this(RunningStack.defaultFile(), System.in);
  }

  /** Creates the command for a test. */
  PublishCommand(Path stackFile, InputStream standardInput) {
    this.stackFile = stackFile;
    this.standardInput = standardInput;
  }

  @Override
  public Integer call() throws CommandException {
    String uri = uri();
    try (BufferedReader lines = open()) {
      Bus bus = Buses.at(uri);
      bus.check();
      try (BusPublisher publisher = bus.publisher()) {
        return publish(lines, publisher, bus.name());
      }
    } catch (NoSuchFileException e) {
      throw new CommandException("There is no file " + file, e);
    } catch (IOException e) {
      throw new CommandException(file + " can't be read: " + e.getMessage(), e);
    } catch (UnavailableException | IllegalArgumentException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
  }

  private String uri() throws CommandException {
    return Optional.ofNullable(bus)
        .or(() -> RunningStack.find(stackFile).map(RunningStack::resultBus))
        .orElseThrow(
            () ->
                new CommandException(
                    "No 'local' runs on this machine; say where to publish:"
                        + " --bus=kafka://host:9092/topic"));
  }

  private BufferedReader open() throws IOException {
    // Bytes as they are: a line that is not UTF-8 must not stop the others.
    return new BufferedReader(
        new InputStreamReader(
            file.equals("-") ? standardInput : Files.newInputStream(Path.of(file)),
            StandardCharsets.ISO_8859_1));
  }

  private int publish(BufferedReader lines, BusPublisher publisher, String name)
      throws IOException, UnavailableException {
    PrintWriter err = spec.commandLine().getErr();
    ResultDecoder decoder = new ResultDecoder();
    long published = 0;
    long wrong = 0;
    long number = 0;
    for (String line = next(lines, publisher, number);
        line != null;
        line = next(lines, publisher, number)) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      try {
        QueryResult result = parse(utf8(line));
        byte[] payload = result.toByteArray();
        byte[] key = MessageKey.of(result);
        var unused =
            decoder.decode(
                BusMessage.of(payload, Place.numbered("", 0, number), MessageTime.ABSENT));
        publisher.publish(OutgoingMessage.of(key, payload));
        published++;
      } catch (InvalidMessageException e) {
        wrong++;
        String field = e.field().isEmpty() ? "" : e.field() + ": ";
        err.println("line " + number + ": " + field + e.getMessage());
        err.flush();
      }
    }
    publisher.flush();
    PrintWriter out = spec.commandLine().getOut();
    out.println(
        "Published "
            + count(published, "result")
            + " to "
            + name
            + (wrong == 0 ? "" : "; " + count(wrong, "line") + " left out"));
    out.flush();
    return wrong == 0 ? 0 : 1;
  }

  /** Reads a line; if that fails, those before it are still published. */
  private static @Nullable String next(BufferedReader lines, BusPublisher publisher, long read)
      throws IOException, UnavailableException {
    try {
      return lines.readLine();
    } catch (IOException e) {
      publisher.flush();
      throw new IOException(e.getMessage() + " (after line " + read + ")", e);
    }
  }

  private static String utf8(String bytes) throws InvalidMessageException {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(bytes.getBytes(StandardCharsets.ISO_8859_1)))
          .toString();
    } catch (CharacterCodingException e) {
      throw new InvalidMessageException(Reason.UNDECODABLE, "", "the line is not UTF-8");
    }
  }

  private static String count(long number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  private static QueryResult parse(String line) throws InvalidMessageException {
    QueryResult.Builder result = QueryResult.newBuilder();
    try {
      JsonFormat.parser().merge(line, result);
      return result.build();
    } catch (InvalidProtocolBufferException e) {
      FaultyField faulty =
          FaultyField.find(line, QueryResult.getDescriptor(), String.valueOf(e.getMessage()));
      throw new InvalidMessageException(Reason.UNDECODABLE, faulty.path(), faulty.message());
    }
  }
}

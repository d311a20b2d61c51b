package io.tailrace.pipelines.tools;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.Buses;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.offline.bulk.OfflineResults;
import io.tailrace.offline.bulk.ResultBucket;
import io.tailrace.parquet.TableNames;
import io.tailrace.parquet.WideFile;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.pipelines.local.SqlEndpoint;
import io.tailrace.pipelines.local.proof.StoreModels;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.BulkUpload;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.Callable;
import org.checkerframework.checker.nullness.qual.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Has Parquet files of this machine loaded: copies them into the bucket and says so on the bus. */
@Command(
    name = "bulk-load",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Has Parquet files loaded into the offline store: copies them to where the"
          + " bulk-insert-writer may load from, and publishes the message that names them. Each"
          + " file is looked at first, and nothing is published if one is wrong. With the 'local'"
          + " of this machine, it waits until they are loaded.",
      "",
      "Files are wide: a row for each entity (and time), a column for each feature. What their"
          + " columns are says each in its footer, as those of an engine do, or --mapping, once"
          + " for all:",
      "",
      "{\"operationId\":\"backfill-1\",\"environmentId\":\"prod\",\"mapping\":{"
          + "\"primaryKeyColumn\":\"user_id\",\"observedAtColumn\":\"ts\",\"features\":[{"
          + "\"feature\":\"user.age\",\"type\":\"INT64\"}]}}"
    },
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:the message was published, and the files are loaded if that could be seen",
      "1:a file is wrong, or was refused, or the bus or the bucket can't be used",
      "2:wrong use"
    })
public final class BulkLoadCommand implements Callable<Integer> {
  private static final Duration PATIENCE = Duration.ofSeconds(60);
  private static final Duration LOOK_EVERY = Duration.ofMillis(200);

  @Parameters(index = "0..*", arity = "1..*", paramLabel = "FILE", description = "Parquet files.")
  private List<Path> files = List.of();

  @Option(
      names = "--mapping",
      paramLabel = "FILE",
      description =
          "A JSON file that says operation, environment and columns, as above. Default: the"
              + " footers of the files say it.")
  private @Nullable Path mapping;

  @Mixin private UploadTarget target = new UploadTarget();
  @Spec private CommandSpec spec = CommandSpec.create();

  private final Path stackFile;

  /** Creates the command. */
  public BulkLoadCommand() {
    this(RunningStack.defaultFile());
  }

  /** Creates the command for a test. */
  BulkLoadCommand(Path stackFile) {
    this.stackFile = stackFile;
  }

  @Override
  public Integer call() throws CommandException {
    Optional<RunningStack> stack =
        target.isGiven() ? Optional.empty() : RunningStack.find(stackFile);
    RunningStack.Uploads uploads = target.uploads(stack);
    try {
      ResultBucket bucket = ResultBucket.KINDS.at(uploads.bucket());
      if (!bucket.isLocal()) {
        throw new CommandException(
            "Files of this machine are copied to a folder of it: --uploadBucket=file:///folder."
                + " Write those for "
                + bucket
                + " with your cloud's own tools");
      }
      List<Contents> contents = contents();
      Bus bus = Buses.at(uploads.bus());
      bus.check();
      bucket.check();
      BulkUpload upload = copied(bucket, contents.get(0));
      try (BusPublisher publisher = bus.publisher()) {
        publisher.publish(OutgoingMessage.of(NotificationFormat.json(upload).getBytes(UTF_8)));
        publisher.flush();
      }
      say(
          "Published "
              + upload.getFilesCount()
              + " of "
              + files.size()
              + " files to "
              + bus.name());
      Optional<RunningStack.Sql> sql = stack.flatMap(RunningStack::sql);
      return sql.isEmpty() ? 0 : await(sql.get(), contents.get(0), upload);
    } catch (IOException e) {
      throw new CommandException("The files can't be copied: " + e.getMessage(), e);
    } catch (UnavailableException | IllegalArgumentException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
  }

  private void say(String line) {
    PrintWriter out = spec.commandLine().getOut();
    out.println(line);
    out.flush();
  }

  /** Looks at every file, and returns what each holds. */
  private List<Contents> contents() throws CommandException {
    Optional<Contents> given = mapping == null ? Optional.empty() : Optional.of(given(mapping));
    List<Contents> all = new ArrayList<>();
    for (Path path : files) {
      try (SeekableByteChannel channel = Files.newByteChannel(path);
          WideFile file = WideFile.open(channel)) {
        Contents contents =
            given.isPresent() ? given.get() : NotificationFormat.ofFooter(file.texts());
        var unused = file.check(contents.mapping());
        all.add(contents);
        say(
            path
                + ": "
                + file.rows()
                + " rows, "
                + contents.mapping().features().size()
                + " features");
      } catch (NoSuchFileException e) {
        throw new CommandException("There is no file " + path, e);
      } catch (IOException e) {
        throw new CommandException(path + " can't be read: " + e.getMessage(), e);
      } catch (InvalidMessageException e) {
        throw new CommandException(
            path
                + ": "
                + e.getMessage()
                + (given.isEmpty() && e.field().equals("mapping")
                    ? "; say it with --mapping=FILE"
                    : ""),
            e);
      }
    }
    return all;
  }

  private static Contents given(Path path) throws CommandException {
    try {
      return NotificationFormat.contents(Files.readAllBytes(path));
    } catch (NoSuchFileException e) {
      throw new CommandException("There is no file " + path, e);
    } catch (IOException e) {
      throw new CommandException(path + " can't be read: " + e.getMessage(), e);
    } catch (InvalidMessageException e) {
      throw new CommandException(
          path + ": " + (e.field().isEmpty() ? "" : e.field() + ": ") + e.getMessage(), e);
    }
  }

  private BulkUpload copied(ResultBucket bucket, Contents contents) throws IOException {
    String folder = bucket.uri() + "/bulk-load-" + UUID.randomUUID();
    BulkUpload.Builder upload =
        mapping == null
            ? BulkUpload.newBuilder()
            : OfflineResults.description(contents).toBuilder();
    for (int i = 0; i < files.size(); i++) {
      String uri = folder + "/" + i + ".parquet";
      try (SeekableByteChannel from = Files.newByteChannel(files.get(i))) {
        bucket.write(uri, from);
      }
      upload.addFiles(uri);
      say("Copied " + (i + 1) + " of " + files.size() + " to " + uri);
    }
    return upload.build();
  }

  /** Waits until the ledger has all files, and returns the exit code. */
  private int await(RunningStack.Sql sql, Contents contents, BulkUpload upload)
      throws UnavailableException, CommandException {
    String first = upload.getFiles(0);
    String query =
        "SELECT count(*), count(refused) FROM "
            + StoreModels.schema(
                sql.offlineStore(), TableNames.ofEnvironment(contents.environment()))
            + ".bulk_files WHERE name LIKE '"
            + first.substring(0, first.lastIndexOf('/') + 1).replace("'", "''")
            + "%'";
    long deadline = System.nanoTime() + PATIENCE.toNanos();
    long seen = -1;
    while (System.nanoTime() < deadline) {
      Optional<Table> found = ask(sql, query);
      if (found.isPresent()) {
        long loaded = Long.parseLong(String.valueOf(found.get().rows().get(0).get(0)));
        long refused = Long.parseLong(String.valueOf(found.get().rows().get(0).get(1)));
        if (loaded != seen) {
          seen = loaded;
          say("Loaded " + loaded + " of " + upload.getFilesCount());
        }
        if (loaded == upload.getFilesCount()) {
          if (refused > 0) {
            throw new CommandException(
                "Something of "
                    + refused
                    + " files was refused: see 'dead-letters show' for what and why");
          }
          return 0;
        }
      }
      pause();
    }
    throw new CommandException(
        "Not loaded within "
            + PATIENCE.toSeconds()
            + " s: see 'dead-letters list', and the writer's line on the screen of 'local'");
  }

  /** Before the first file is loaded there is no ledger. */
  private static Optional<Table> ask(RunningStack.Sql sql, String query) {
    try {
      return Optional.of(SqlEndpoint.query(sql, query, 1));
    } catch (UnavailableException e) {
      return Optional.empty();
    }
  }

  private static void pause() throws CommandException {
    try {
      Thread.sleep(LOOK_EVERY.toMillis());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("Interrupted while the files are loaded", e);
    }
  }
}

package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.Bus;
import io.tailrace.bus.Buses;
import io.tailrace.bus.directory.DirectoryKind;
import io.tailrace.testing.AddedKinds;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** What a writer says of the place for large letters before it starts. */
public class WriterBusesTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();
  @Rule public final AddedKinds added = AddedKinds.of(DirectoryKind.class);

  @Test
  public void aLocalDirectoryIsRefusedWhereTheWriterRunsElsewhere() throws Exception {
    for (String master : List.of("jobmanager:8081", "10.0.0.7:8081", "jobmanager")) {
      CommandException e =
          assertThrows(
              CommandException.class,
              () ->
                  look(
                      "--runner=FlinkRunner",
                      "--flinkMaster=" + master,
                      "--deadLetterOverflow=" + folder.getRoot()));

      assertThat(e).hasMessageThat().contains("is a directory of this machine");
      assertThat(e).hasMessageThat().contains("gs://bucket/prefix");
    }
  }

  @Test
  public void aLocalDirectoryIsTakenWhereTheWriterRunsHere() throws Exception {
    for (List<String> here :
        List.of(
            List.of("--runner=DirectRunner"),
            List.of("--runner=FlinkRunner"),
            List.of("--runner=FlinkRunner", "--flinkMaster=[auto]"),
            List.of("--runner=FlinkRunner", "--flinkMaster=[local]"),
            List.of("--runner=FlinkRunner", "--flinkMaster=localhost:8081"),
            List.of("--runner=FlinkRunner", "--flinkMaster=127.0.0.1:8081"))) {
      List<String> arguments = new ArrayList<>(here);
      arguments.add("--deadLetterOverflow=" + folder.getRoot());

      assertWithMessage(here.toString())
          .that(look(arguments.toArray(String[]::new)).warnings())
          .isEmpty();
    }
  }

  @Test
  public void aDirectoryThatCannotBeWrittenIsRefused() throws Exception {
    String file = folder.newFile().getAbsolutePath();

    CommandException e =
        assertThrows(
            CommandException.class,
            () -> look("--runner=DirectRunner", "--deadLetterOverflow=" + file + "/below"));

    assertThat(e).hasMessageThat().contains("--deadLetterOverflow: '" + file + "/below'");
    assertThat(e).hasMessageThat().contains("can't be written");
  }

  @Test
  public void aBucketWithoutAFileSystemForItIsRefused() throws Exception {
    CommandException e =
        assertThrows(
            CommandException.class,
            () -> look("--runner=DirectRunner", "--deadLetterOverflow=nowhere://bucket/letters"));

    assertThat(e).hasMessageThat().contains("--deadLetterOverflow: 'nowhere://bucket/letters'");
    assertThat(e).hasMessageThat().contains("with the Beam file system for it");
  }

  @Test
  public void withoutADirectoryItIsSaidWhatLettersLack() throws Exception {
    assertThat(look("--runner=DirectRunner").warnings())
        .containsExactly(
            "--deadLetterOverflow is not given: of a message that is larger than the 1048588 bytes"
                + " that --deadLetterBus takes, its letter says only where it was. Name a directory"
                + " for such messages");
  }

  private OptionCheck look(String... arguments) throws Exception {
    OptionCheck check = new OptionCheck();
    WriterOptions options =
        PipelineOptionsFactory.fromArgs(arguments).as(OnlineWriterOptions.class);
    options.setDeadLetterBus(topic("letters").uri());
    var buses = WriterBuses.parse(OnlineWriter.WRITER, topic("results").uri(), options, check);
    check.finish();
    check.ask();
    check.finish();
    var unused = buses.get();
    check.finish();
    return check;
  }

  private Bus topic(String name) throws Exception {
    Path path = folder.newFolder().toPath().resolve(name);
    Files.createDirectories(path.resolve("0"));
    return Buses.at("dir://" + path);
  }
}

package io.tailrace.bus.directory;

import io.tailrace.testing.AddedKinds;
import io.tailrace.testing.BusContract;
import java.nio.file.Path;
import org.junit.Rule;

/** A bus that somebody adds with a folder and a line is a bus. */
public class DirectoryBusTest extends BusContract {
  private static int topics;

  @Rule public final AddedKinds added = AddedKinds.of(DirectoryKind.class);

  @Override
  protected String newTopic(int partitions) throws Exception {
    Path path = directories.newFolder().toPath().resolve("topic-" + topics++);
    new DirectoryTopic(path).create(partitions);
    return "dir://" + path;
  }

  @Override
  protected String missingTopic() throws Exception {
    return "dir://" + directories.newFolder() + "/no-such-topic";
  }

  @Override
  protected String unreachable() throws Exception {
    return "dir://" + directories.newFolder() + "/no-such-directory/topic";
  }
}

package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** Arguments that are in files. */
public class ArgumentFilesTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void eachLineIsAnArgumentAsItIs() throws Exception {
    Path file = folder.getRoot().toPath().resolve("options");
    Files.writeString(file, "# of the writer\nonline-writer\n\n --a=b c\"d'\\ \n--e=f#g\n");

    assertThat(ArgumentFiles.expand("--first", "@" + file, "last@"))
        .asList()
        .containsExactly("--first", "online-writer", "--a=b c\"d'\\", "--e=f#g", "last@")
        .inOrder();
  }

  @Test
  public void aFileThatIsNotThereIsNamed() {
    assertThat(assertThrows(CommandException.class, () -> ArgumentFiles.expand("@/no/file")))
        .hasMessageThat()
        .contains("@/no/file: the file with arguments can't be read");
  }
}

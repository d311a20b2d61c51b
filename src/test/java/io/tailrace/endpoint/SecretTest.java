package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

/** That a {@link Secret} names a place and nothing else. */
public class SecretTest {
  @Rule public final TemporaryFolder folder = new TemporaryFolder();

  @Test
  public void readsAnEnvironmentVariable() {
    assertThat(secret("env:PATH").read()).isEqualTo(System.getenv("PATH"));
  }

  @Test
  public void aVariableThatIsNotSetIsNamed() {
    Secret secret = secret("env:TAILRACE_TEST_NO_SUCH_VARIABLE");

    assertThat(assertThrows(IllegalStateException.class, secret::read))
        .hasMessageThat()
        .isEqualTo("the environment variable TAILRACE_TEST_NO_SUCH_VARIABLE is not set");
  }

  @Test
  public void readsAFileWithoutItsLastLineBreak() throws Exception {
    assertThat(secretInFile("hunter2").read()).isEqualTo("hunter2");
    assertThat(secretInFile("hunter2\n").read()).isEqualTo("hunter2");
    assertThat(secretInFile("hunter2\r\n").read()).isEqualTo("hunter2");
    assertThat(secretInFile(" größe\n\n").read()).isEqualTo(" größe\n");
    assertThat(secretInFile("").read()).isEmpty();
  }

  @Test
  public void readsAFileAnewEachTime() throws Exception {
    Path file = folder.newFile().toPath();
    Secret secret = secret("file:" + file);
    Files.writeString(file, "old");
    assertThat(secret.read()).isEqualTo("old");

    Files.writeString(file, "new");

    assertThat(secret.read()).isEqualTo("new");
  }

  @Test
  public void aFileThatIsNotThereIsNamed() {
    Path file = folder.getRoot().toPath().resolve("missing");

    assertThat(assertThrows(IllegalStateException.class, secret("file:" + file)::read))
        .hasMessageThat()
        .isEqualTo("the secret file " + file + " can't be read");
  }

  @Test
  public void whatNamesNoPlaceIsNoSecret() {
    for (String text :
        List.of(
            "", "hunter2", "env:", "file:", "aws:", ":x", "ENV:X", "vault:x", "env", "https://x")) {
      assertThat(Secret.parse(text)).isEmpty();
    }
  }

  @Test
  public void saysAndSerializesThePlaceAndNeverTheValue() throws Exception {
    Secret secret = secretInFile("hunter2");
    assertThat(secret.read()).isEqualTo("hunter2");

    byte[] bytes = SerializableUtils.serializeToByteArray(secret);

    assertThat(secret.toString()).startsWith("file:" + folder.getRoot());
    assertThat(new String(bytes, StandardCharsets.ISO_8859_1)).doesNotContain("hunter2");
    assertThat(SerializableUtils.clone(secret).read()).isEqualTo("hunter2");
  }

  private Secret secretInFile(String value) throws Exception {
    Path file = folder.newFile().toPath();
    Files.writeString(file, value);
    return secret("file:" + file);
  }

  private static Secret secret(String text) {
    return Secret.parse(text).orElseThrow();
  }
}

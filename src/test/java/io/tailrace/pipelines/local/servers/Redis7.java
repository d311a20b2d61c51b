package io.tailrace.pipelines.local.servers;

import static com.google.common.truth.TruthJUnit.assume;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;

/** The newer Redis with which tests of compatibility run, beside the one that is bundled. */
public final class Redis7 {
  /** Names the directory into which the build unpacks the executables of all systems. */
  private static final String DIRECTORY = "tailrace.test.redis7";

  private Redis7() {}

  /** The executable for this system; a test is skipped where there is none. */
  public static Path executable() {
    String system =
        System.getProperty("os.name").toLowerCase(Locale.ROOT).contains("mac") ? "darwin" : "linux";
    String processor = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    Path file =
        Path.of(System.getProperty(DIRECTORY, "missing"))
            .toAbsolutePath()
            .resolve("redis-server-7.0.15-" + system + "-" + processor);
    assume()
        .withMessage("%s, in what -D%s names", file, DIRECTORY)
        .that(Files.exists(file))
        .isTrue();
    assume().that(file.toFile().setExecutable(true)).isTrue();
    return file;
  }
}

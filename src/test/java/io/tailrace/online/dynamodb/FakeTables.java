package io.tailrace.online.dynamodb;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Names tables of a server that checks nobody's signature. */
final class FakeTables {
  private static final String KEY = "file:" + key();

  private FakeTables() {}

  /** Returns the URI of a table, signed with a key that is in a file. */
  static String uri(String endpoint, String table) {
    return "dynamodb://eu-west-1/"
        + table
        + "?endpoint="
        + endpoint
        + "&accessKey="
        + KEY
        + "&secretKey="
        + KEY;
  }

  private static Path key() {
    try {
      Path file = Files.createTempFile("key", "");
      file.toFile().deleteOnExit();
      return Files.writeString(file, "ANYBODY");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}

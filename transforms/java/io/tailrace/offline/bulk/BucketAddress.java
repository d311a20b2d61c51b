package io.tailrace.offline.bulk;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What addresses of files with results look like. Stateless and thread-safe. */
final class BucketAddress {
  private static final Pattern ADDRESS =
      Pattern.compile("(?:(s3|gs)://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])|(file)://)(/.*)?");
  private static final Pattern SCHEME = Pattern.compile("([a-zA-Z0-9+.-]*):.*");

  /** What Beam's file systems take for patterns. */
  private static final Pattern WILDCARDS = Pattern.compile("[*?\\[\\]{}\\\\]");

  /** The longest name of an object, on Amazon's and Google's. */
  private static final int MAX_NAME_BYTES = 1_024;

  static final String FILE = "file://";

  private BucketAddress() {}

  /** Returns why a text is none of a bucket's, or of a folder or file in one; empty: it is. */
  static Optional<String> whyNot(String uri) {
    Matcher scheme = SCHEME.matcher(uri);
    String named = scheme.matches() ? scheme.group(1) : "";
    Optional<String> correction =
        switch (named) {
          case "gcs" ->
              Optional.of(
                  "'" + uri + "' begins with gcs://: Google's buckets are gs://" + behind(uri));
          case "s3a", "s3n" ->
              Optional.of("'" + uri + "': Amazon's buckets are s3://" + behind(uri));
          case "" ->
              Optional.of(
                  "'"
                      + uri
                      + "' has no prefix: "
                      + (uri.startsWith("/") ? FILE + uri : "s3://" + uri + " or gs://" + uri));
          default -> Optional.empty();
        };
    if (correction.isPresent()) {
      return correction;
    }
    if (!ADDRESS.matcher(uri).matches() || uri.equals(FILE) || uri.startsWith("file:////")) {
      return Optional.of("'" + uri + "' is no address of a bucket");
    }
    return whyNoPath(uri);
  }

  private static String behind(String uri) {
    return uri.substring(uri.indexOf(':') + 1).replaceFirst("^/*", "");
  }

  private static Optional<String> whyNoPath(String uri) {
    String path = uri.substring(uri.indexOf("://") + 3);
    for (String part : path.split("/", -1)) {
      if (part.equals("..") || part.equals(".")) {
        return Optional.of("'" + uri + "' has '" + part + "' in its path: name it without");
      }
    }
    if (WILDCARDS.matcher(path).find()) {
      return Optional.of(
          "'" + uri + "' has a wildcard or a character that stands for one: name each file");
    }
    if (!UTF_8.newEncoder().canEncode(uri)) {
      return Optional.of("'" + uri + "' has half a character, which is none");
    }
    return uri.indexOf('\0') >= 0
        ? Optional.of("an address can't have a NUL")
        : whyNoneOfThisMachine(uri);
  }

  /** A machine has names of its own encoding. */
  private static Optional<String> whyNoneOfThisMachine(String uri) {
    try {
      Path unused = Path.of(uri.startsWith(FILE) ? uri.substring(FILE.length()) : "");
      return Optional.empty();
    } catch (InvalidPathException e) {
      return Optional.of("'" + uri + "' can't be a file of this machine: " + e.getReason());
    }
  }

  /** Returns why a URI can be none of a file, whatever the bucket; empty: it can be. */
  static Optional<String> whyNoFile(String uri) {
    Optional<String> whyNot = whyNot(uri);
    if (whyNot.isEmpty() && uri.substring(uri.indexOf("://") + 3).contains("//")) {
      return Optional.of("'" + uri + "' has two slashes after each other in its path");
    }
    return whyNot.or(() -> whyTooLong(uri));
  }

  /** Buckets answer a longer name with an error, as if they were away. */
  private static Optional<String> whyTooLong(String uri) {
    int bytes = behind(uri).replaceFirst("^[^/]*/?", "").getBytes(UTF_8).length;
    return uri.startsWith(FILE) || bytes <= MAX_NAME_BYTES
        ? Optional.empty()
        : Optional.of(
            "a name of "
                + bytes
                + " bytes is none of a bucket's, which have at most "
                + MAX_NAME_BYTES
                + ": '"
                + uri
                + "'");
  }
}

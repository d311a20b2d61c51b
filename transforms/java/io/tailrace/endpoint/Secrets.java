package io.tailrace.endpoint;

import io.tailrace.endpoint.aws.AwsSecrets;
import io.tailrace.endpoint.aws.CacheTokens;
import io.tailrace.endpoint.gcp.GcpSecrets;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The places where secrets are kept: the one list of them, from which names of secrets are parsed,
 * and help and errors take their examples. A place is added by one line here. Stateless and
 * thread-safe.
 */
public final class Secrets {
  /** All places, in the order in which they are shown. */
  public static final List<SecretPlace> ALL =
      List.of(
          new SecretPlace("env", "env:VARIABLE", Secrets::ofVariable),
          new SecretPlace("file", "file:PATH", Secrets::ofFile),
          AwsSecrets.PLACE,
          GcpSecrets.PLACE,
          CacheTokens.PLACE);

  /** How many of them every machine has: those that sentences show. */
  private static final int EVERYWHERE = 2;

  private Secrets() {}

  /** Returns the place with a scheme. */
  static Optional<SecretPlace> place(String scheme) {
    return ALL.stream().filter(place -> place.scheme().equals(scheme)).findFirst();
  }

  /** Returns one example, for people: {@code env:VARIABLE}. */
  public static String example() {
    return ALL.get(0).example();
  }

  /**
   * Returns an example of each place that every machine has, for a sentence: {@code
   * password=env:VARIABLE or password=file:PATH}.
   *
   * @param before what stands before each of them
   */
  public static String examples(String before) {
    List<String> examples =
        ALL.stream().limit(EVERYWHERE).map(place -> before + place.example()).toList();
    int last = examples.size() - 1;
    return last == 0
        ? examples.get(0)
        : String.join(", ", examples.subList(0, last)) + " or " + examples.get(last);
  }

  private static String ofVariable(String name) {
    String value = System.getenv(name);
    if (value == null) {
      throw new IllegalStateException("the environment variable " + name + " is not set");
    }
    return value;
  }

  /** A file's last line break is not part of the secret. */
  private static String ofFile(String path) {
    try {
      return Files.readString(Path.of(path)).replaceFirst("\\R$", "");
    } catch (IOException e) {
      throw new IllegalStateException("the secret file " + path + " can't be read", e);
    }
  }
}

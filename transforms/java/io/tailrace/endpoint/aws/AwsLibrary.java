package io.tailrace.endpoint.aws;

import java.util.function.Supplier;

/**
 * Runs what needs Amazon's library, which may be missing. It refers to none of its classes, so that
 * it can be loaded without them. Stateless and thread-safe.
 */
final class AwsLibrary {
  private AwsLibrary() {}

  /**
   * Reads a secret.
   *
   * @param secret its name, for sentences
   * @throws IllegalStateException if the library is missing, or knows nobody who may read it
   */
  static String read(String secret, Supplier<String> reader) {
    try {
      return reader.get();
    } catch (IllegalStateException e) {
      throw e;
    } catch (NoClassDefFoundError e) {
      throw new IllegalStateException(
          secret
              + " can't be read: it needs software.amazon.awssdk:auth and"
              + " software.amazon.awssdk:http-auth-aws on the class path: add them",
          e);
    } catch (RuntimeException e) {
      // Of the library: there is no region, or nobody who signs.
      throw new IllegalStateException(secret + " can't be read: " + e.getMessage(), e);
    }
  }
}

package io.tailrace.offline.staging;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.endpoint.UnavailableException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/**
 * Says in a stage whose it is. Whoever searches a stage takes what waits in it for its own: of two
 * stores with one stage, each would load the other's files, and delete them. So the first one
 * leaves a file there, and another is refused when it starts. Stateless and thread-safe.
 */
public final class StageOwner {
  /** No environment's folder: behind an underscore is a digit in those. */
  private static final String FOLDER = "owner__/";

  private static final int HASH_BYTES = 8;

  private StageOwner() {}

  /**
   * Checks that a stage is a store's, and makes it so if it is nobody's.
   *
   * @param identity that of the store; one that has none is not held against the others
   * @throws UnavailableException with one sentence that names the other store
   */
  public static void check(Stage stage, String identity) throws UnavailableException {
    if (identity.isEmpty()) {
      return;
    }
    String own = FOLDER + hash(identity) + ".txt";
    try (Stage.Connection connection = stage.open()) {
      List<String> owners = owners(connection);
      boolean isNew = owners.isEmpty();
      if (isNew) {
        connection.put(Map.of(own, identity.getBytes(UTF_8)));
        // Somebody may have come in the same moment.
        owners = owners(connection);
      }
      for (String other : owners) {
        if (!other.equals(own)) {
          String whose = new String(connection.read(other).orElse(new byte[0]), UTF_8);
          if (isNew) {
            connection.delete(List.of(own));
          }
          throw new UnavailableException(
              "the stage "
                  + stage.uri()
                  + " is another store's ("
                  + whose
                  + ", says its file "
                  + other
                  + "), and this is "
                  + identity
                  + ": give each store a stage of its own with stage=; if that store is gone, or"
                  + " is this one, delete that file");
        }
      }
    }
  }

  private static List<String> owners(Stage.Connection connection) throws UnavailableException {
    return connection.list().stream()
        .map(Stage.Entry::name)
        .filter(name -> name.startsWith(FOLDER))
        .toList();
  }

  private static String hash(String identity) {
    try {
      byte[] digest = MessageDigest.getInstance("SHA-256").digest(identity.getBytes(UTF_8));
      return HexFormat.of().formatHex(Arrays.copyOf(digest, HASH_BYTES));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }
}

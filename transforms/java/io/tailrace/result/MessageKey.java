package io.tailrace.result;

import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;

/**
 * Gives a result's message its key on the bus: the first entity of the result, so that the results
 * of an entity stay in one partition and arrive in the order in which they were published. Nothing
 * relies on that: it saves comparisons in the store. Stateless and thread-safe.
 */
public final class MessageKey {
  private MessageKey() {}

  /** Returns the key, {@code <namespace>:<primary key>} in UTF-8; empty if there is no entity. */
  public static byte[] of(QueryResult result) {
    for (Frame frame : result.getFramesList()) {
      if (frame.getStringKeysCount() > 0) {
        return key(frame.getNamespace(), frame.getStringKeys(0));
      }
      if (frame.getInt64KeysCount() > 0) {
        return key(frame.getNamespace(), Long.toString(frame.getInt64Keys(0)));
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      if (deletion.getStringKeysCount() > 0) {
        return key(deletion.getNamespace(), deletion.getStringKeys(0));
      }
      if (deletion.getInt64KeysCount() > 0) {
        return key(deletion.getNamespace(), Long.toString(deletion.getInt64Keys(0)));
      }
    }
    return new byte[0];
  }

  private static byte[] key(String namespace, String primaryKey) {
    return (namespace + ":" + primaryKey).getBytes(StandardCharsets.UTF_8);
  }
}

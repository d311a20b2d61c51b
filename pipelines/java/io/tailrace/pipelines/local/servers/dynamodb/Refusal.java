package io.tailrace.pipelines.local.servers.dynamodb;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** An answer that is an error. */
final class Refusal extends Exception {
  private static final long serialVersionUID = 1;

  private final String code;
  private final int status;
  private final transient @Nullable ObjectNode item;

  Refusal(int status, String code, String message, @Nullable ObjectNode item) {
    super(message);
    this.status = status;
    this.code = code;
    this.item = item;
  }

  static Refusal invalid(String message) {
    return new Refusal(400, "ValidationException", message, null);
  }

  static Refusal of(String code, String message) {
    return new Refusal(400, code, message, null);
  }

  String code() {
    return code;
  }

  int status() {
    return status;
  }

  /** Returns the item for which a condition failed. */
  Optional<ObjectNode> item() {
    return Optional.ofNullable(item);
  }
}

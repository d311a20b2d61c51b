package io.tailrace.online.dynamodb;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Names the attributes of an item. Those that begin with two underscores are the item's own; a
 * feature's name that begins with an underscore gets another one before it, and one more where it
 * would be an item's own, or follow the rule of one that would: no two features share an attribute.
 * Stateless and thread-safe.
 */
final class Attributes {
  /** The partition key: the primary key as text. */
  static final String ID = "__id__";

  /** The sort key: the feature namespace. */
  static final String NAMESPACE = "__ns__";

  /** Until when the item is kept, in seconds since the epoch, for DynamoDB; null: for ever. */
  static final String EXPIRY = "__exp__";

  /** Another one after each write; an item without it is somebody else's. */
  static final String VERSION = "__version__";

  /** The time up to which the entity is deleted, as in a cell; absent: none. */
  static final String FENCE = "__fence__";

  /** Until when fence and tombstones are remembered, as in a cell; absent: there are none. */
  static final String REMEMBERED = "__remembered__";

  /** From when on something in the item is over, in seconds since the epoch; absent: never. */
  static final String DUE = "__due__";

  /** The id of a table, in an item of no entity. */
  static final String STORE = "__store__";

  static final Set<String> RESERVED =
      Set.of(ID, NAMESPACE, EXPIRY, VERSION, FENCE, REMEMBERED, DUE, STORE);

  private static final Set<String> RESERVED_STEMS =
      RESERVED.stream().map(Attributes::stem).collect(Collectors.toUnmodifiableSet());

  private Attributes() {}

  /** Returns the attribute of a feature, whose name is without its namespace. */
  static String of(String feature) {
    if (!feature.startsWith("_")) {
      return feature;
    }
    return (RESERVED_STEMS.contains(stem(feature)) ? "__" : "_") + feature;
  }

  /** Returns the feature of an attribute; empty: it is none's. */
  static Optional<String> feature(String attribute) {
    if (!attribute.startsWith("_")) {
      return Optional.of(attribute);
    }
    if (RESERVED.contains(attribute)) {
      return Optional.empty();
    }
    String feature = attribute.substring(1);
    if (RESERVED_STEMS.contains(stem(attribute)) && feature.startsWith("_")) {
      feature = feature.substring(1);
    }
    return of(feature).equals(attribute) ? Optional.of(feature) : Optional.empty();
  }

  private static String stem(String name) {
    int start = 0;
    while (start < name.length() && name.charAt(start) == '_') {
      start++;
    }
    return name.substring(start);
  }

  /** Returns how many bytes a text takes in an item. */
  static int bytes(String text) {
    int length = text.length();
    for (int i = 0; i < length; i++) {
      if (text.charAt(i) > 0x7F) {
        return text.getBytes(UTF_8).length;
      }
    }
    return length;
  }
}

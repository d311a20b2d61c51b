package io.tailrace.testing;

import io.tailrace.offline.Feature;

/** Features whose names have no dots, by their whole names. */
public final class Features {
  private Features() {}

  /** Returns the feature of a name such as {@code user.age}; the last dot ends the namespace. */
  public static Feature of(String text) {
    return new Feature(text.substring(0, text.lastIndexOf('.')), text);
  }
}

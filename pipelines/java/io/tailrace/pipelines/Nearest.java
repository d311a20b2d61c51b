package io.tailrace.pipelines;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/** Finds what somebody may have meant by a misspelt name. Stateless and thread-safe. */
public final class Nearest {
  private Nearest() {}

  /** Returns the known name that is nearest, unless half of it would have to be changed. */
  public static Optional<String> to(String name, Collection<String> known) {
    return known.stream()
        .min(Comparator.comparingInt((String each) -> distance(name, each)).thenComparing(it -> it))
        .filter(each -> distance(name, each) <= Math.max(2, each.length() / 2));
  }

  /** Returns a question for the end of a sentence: {@code ; did you mean 'image'?} or nothing. */
  public static String question(String name, Collection<String> known) {
    return to(name, known).map(it -> "; did you mean '" + it + "'?").orElse("");
  }

  /** Returns how many letters must be put in, taken out or changed; case and '_' don't count. */
  private static int distance(String one, String other) {
    String from = plain(one);
    String to = plain(other);
    int[] row = new int[to.length() + 1];
    for (int j = 0; j <= to.length(); j++) {
      row[j] = j;
    }
    for (int i = 1; i <= from.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j <= to.length(); j++) {
        int above = row[j];
        int changed = diagonal + (from.charAt(i - 1) == to.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(changed, Math.min(above, row[j - 1]) + 1);
        diagonal = above;
      }
    }
    return row[to.length()];
  }

  private static String plain(String name) {
    return name.toLowerCase(Locale.ROOT).replaceAll("[_.-]", "");
  }
}

package io.tailrace.pipelines.deploy;

import java.math.BigDecimal;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * An amount of processor time or of bytes, as Kubernetes writes it: {@code 500m}, {@code 2}, {@code
 * 1536Mi}. Immutable.
 *
 * @param thousandths the amount in thousandths of a processor or of a byte
 */
record Quantity(BigDecimal thousandths) implements Comparable<Quantity> {
  private static final Pattern FORM = Pattern.compile("(\\d+(?:\\.\\d+)?)([A-Za-z]*)");

  private static final long KIBI = 1024;
  private static final Map<String, BigDecimal> UNITS =
      Map.ofEntries(
          Map.entry("m", BigDecimal.ONE),
          Map.entry("", BigDecimal.valueOf(1_000)),
          Map.entry("k", BigDecimal.valueOf(1_000_000)),
          Map.entry("M", BigDecimal.valueOf(1_000_000_000L)),
          Map.entry("G", BigDecimal.valueOf(1_000_000_000_000L)),
          Map.entry("T", BigDecimal.valueOf(1_000_000_000_000_000L)),
          Map.entry("Ki", BigDecimal.valueOf(1_000 * KIBI)),
          Map.entry("Mi", BigDecimal.valueOf(1_000 * KIBI * KIBI)),
          Map.entry("Gi", BigDecimal.valueOf(1_000 * KIBI * KIBI * KIBI)),
          Map.entry("Ti", BigDecimal.valueOf(1_000 * KIBI * KIBI * KIBI * KIBI)));

  /** Takes processors: {@code 500m} or {@code 0.5}. */
  static Quantity processors(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (form.matches() && (form.group(2).isEmpty() || form.group(2).equals("m"))) {
      return of(form);
    }
    throw new IllegalArgumentException(
        "'" + text + "' is no number of processors: write 500m or 0.5");
  }

  /** Takes bytes: {@code 1536Mi} or {@code 2Gi}. */
  static Quantity bytes(String text) {
    Matcher form = FORM.matcher(text.strip());
    if (form.matches() && !form.group(2).equals("m") && UNITS.containsKey(form.group(2))) {
      return of(form);
    }
    throw new IllegalArgumentException("'" + text + "' is no amount of bytes: write 1536Mi or 2Gi");
  }

  private static Quantity of(Matcher form) {
    return new Quantity(
        new BigDecimal(form.group(1)).multiply(UNITS.getOrDefault(form.group(2), BigDecimal.ONE)));
  }

  /** Returns the bytes, cut to whole mebibytes. */
  long mebibytes() {
    return thousandths.longValue() / 1_000 / KIBI / KIBI;
  }

  /** Returns the number of processors. */
  double number() {
    return thousandths.doubleValue() / 1_000;
  }

  @Override
  public int compareTo(Quantity other) {
    return thousandths.compareTo(other.thousandths);
  }
}

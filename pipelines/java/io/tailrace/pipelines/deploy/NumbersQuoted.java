package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.dataformat.yaml.util.StringQuotingChecker;
import java.util.regex.Pattern;

/**
 * Quotes every text that a reader of YAML 1.1 or 1.2 may take for a number, a time or nothing, such
 * as {@code 1e3}, {@code 0x1F}, {@code 1_000} and {@code 12:30}. Stateless.
 */
final class NumbersQuoted extends StringQuotingChecker.Default {
  private static final long serialVersionUID = 1;

  private static final Pattern NUMBER =
      Pattern.compile(
          "[-+]?\\.?[0-9][0-9a-fA-FoOxX_.:eE+-]*"
              + "|[-+]?\\.(?i:inf|nan)"
              + "|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}.*"
              + "|~|=|<<");

  @Override
  public boolean needToQuoteName(String name) {
    return isNumber(name) || super.needToQuoteName(name);
  }

  @Override
  public boolean needToQuoteValue(String value) {
    return isNumber(value) || super.needToQuoteValue(value);
  }

  private static boolean isNumber(String text) {
    return NUMBER.matcher(text).matches();
  }
}

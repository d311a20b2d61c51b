package io.tailrace.pipelines;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.regex.Pattern;
import picocli.CommandLine;
import picocli.CommandLine.TypeConversionException;

/**
 * Reads the numbers of a command line, and says in plain words of a text that it is none. What only
 * Java takes for a number, such as {@code 10d} or {@code NaN}, is none. Stateless and thread-safe.
 */
public final class NumberText {
  /** More digits than any number here has; to read a million of them takes minutes. */
  private static final Pattern WHOLE = Pattern.compile("[+-]?[0-9]{1,40}");

  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?([0-9]{1,40}(\\.[0-9]{0,40})?|\\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?");

  private NumberText() {}

  /** Makes a command, and those below it, read their numbers so; returns it. */
  public static CommandLine readBy(CommandLine line) {
    return line.registerConverter(int.class, NumberText::toInt)
        .registerConverter(Integer.class, NumberText::toInt)
        .registerConverter(long.class, NumberText::toLong)
        .registerConverter(Long.class, NumberText::toLong)
        .registerConverter(double.class, NumberText::toDouble)
        .registerConverter(Double.class, NumberText::toDouble);
  }

  private static Integer toInt(String text) {
    return (int) whole(text, Integer.MIN_VALUE, Integer.MAX_VALUE);
  }

  private static Long toLong(String text) {
    return whole(text, Long.MIN_VALUE, Long.MAX_VALUE);
  }

  private static long whole(String text, long least, long most) {
    if (!WHOLE.matcher(text).matches()) {
      throw new TypeConversionException("'" + text + "' is not a whole number, such as 1000");
    }
    BigInteger number = new BigInteger(text);
    if (number.compareTo(BigInteger.valueOf(least)) < 0
        || number.compareTo(BigInteger.valueOf(most)) > 0) {
      throw new TypeConversionException("'" + text + "' is not from " + least + " to " + most);
    }
    return number.longValueExact();
  }

  private static Double toDouble(String text) {
    double number =
        DECIMAL.matcher(text).matches() ? new BigDecimal(text).doubleValue() : Double.NaN;
    if (!Double.isFinite(number)) {
      throw new TypeConversionException("'" + text + "' is not a number, such as 1000 or 0.5");
    }
    return number;
  }
}

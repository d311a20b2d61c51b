package io.tailrace.sql.postgres;

import java.time.LocalDate;
import java.time.YearMonth;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What is in one partition: a day or a month, in UTC, or what lies before or after all of these.
 * Immutable.
 *
 * @param name what the partition's name ends with, such as {@code 2026_11}
 * @param from the bound that is in it, as it stands in a statement
 * @param to the bound that is not
 */
public record Part(String name, String from, String to) {
  /** Times outside of these have no partitions of their own. */
  private static final LocalDate FIRST = LocalDate.of(2000, 1, 1);

  private static final LocalDate END = LocalDate.of(2100, 1, 1);

  private static final DateTimeFormatter DAY =
      DateTimeFormatter.ofPattern("uuuu_MM_dd", Locale.ROOT);
  private static final DateTimeFormatter MONTH =
      DateTimeFormatter.ofPattern("uuuu_MM", Locale.ROOT);

  /** The parts that every table has from the start. */
  static final List<Part> ENDS =
      List.of(
          new Part("before_" + FIRST.getYear(), "MINVALUE", bound(FIRST)),
          new Part("from_" + END.getYear(), bound(END), "MAXVALUE"));

  /** Returns the part of a day; empty, if it is in one that every table has. */
  public static Optional<Part> of(LocalDate day) {
    return part(day, day.plusDays(1), DAY);
  }

  /** Returns the part of a month; empty, if it is in one that every table has. */
  public static Optional<Part> of(YearMonth month) {
    return part(month.atDay(1), month.plusMonths(1).atDay(1), MONTH);
  }

  private static Optional<Part> part(LocalDate from, LocalDate to, DateTimeFormatter name) {
    return from.isBefore(FIRST) || !from.isBefore(END)
        ? Optional.empty()
        : Optional.of(new Part(name.format(from), bound(from), bound(to)));
  }

  private static String bound(LocalDate day) {
    return "'" + day + " 00:00:00+00'";
  }
}

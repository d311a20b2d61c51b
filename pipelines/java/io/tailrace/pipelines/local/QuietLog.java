package io.tailrace.pipelines.local;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.turbo.TurboFilter;
import ch.qos.logback.core.spi.FilterReply;
import org.jspecify.annotations.Nullable;
import org.slf4j.ILoggerFactory;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;

/**
 * Keeps this program's log silent while servers are ended on purpose, about which they and their
 * clients complain: from {@link #begin} to {@link #close}. Thread-safe.
 */
final class QuietLog implements AutoCloseable {
  private final TurboFilter denial =
      new TurboFilter() {
        @Override
        public FilterReply decide(
            @Nullable Marker marker,
            ch.qos.logback.classic.Logger logger,
            Level level,
            @Nullable String format,
            Object @Nullable [] values,
            @Nullable Throwable t) {
          return FilterReply.DENY;
        }
      };

  /** Silences the log. */
  void begin() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      context.addTurboFilter(denial);
    }
  }

  /** Lets the log speak again. */
  @Override
  public void close() {
    ILoggerFactory factory = LoggerFactory.getILoggerFactory();
    if (factory instanceof LoggerContext context) {
      while (context.getTurboFilterList().remove(denial)) {
        // It may have been silenced twice.
      }
    }
  }
}

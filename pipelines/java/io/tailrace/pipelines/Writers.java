package io.tailrace.pipelines;

import java.util.List;

/**
 * Every writer: the one list of them. The command line, {@code local}, its screen and report, the
 * docs' table and the tests of options read it.
 */
public final class Writers {
  /** Every writer, in the order in which a result comes by. */
  public static final List<Writer<?>> ALL =
      List.of(
          OnlineWriter.WRITER,
          OfflineWriter.WRITER,
          StreamingInsertWriter.WRITER,
          MetricsWriter.WRITER,
          MetricsBusWriter.WRITER);

  private Writers() {}
}

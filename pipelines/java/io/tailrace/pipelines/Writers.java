package io.tailrace.pipelines;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
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
          BigQueryStreamingWriter.WRITER,
          BulkInsertWriter.WRITER,
          MetricsWriter.WRITER,
          MetricsBusWriter.WRITER);

  private Writers() {}

  /**
   * Leaves out of some writers those that insert into other offline stores than the one that a URI
   * names: of those, one store has one.
   */
  public static List<Writer<?>> forOfflineStore(List<Writer<?>> writers, String uri) {
    List<Writer<?>> inserting =
        List.of(StreamingInsertWriter.WRITER, BigQueryStreamingWriter.WRITER);
    String right = writer(uri);
    return writers.stream()
        .filter(writer -> !inserting.contains(writer) || writer.name().equals(right))
        .toList();
  }

  private static String writer(String uri) {
    try {
      return OfflineStores.at(uri).writer();
    } catch (IllegalArgumentException e) {
      // The writer says it, with all that is wrong, when it is started.
      return OfflineStore.WRITER;
    }
  }
}

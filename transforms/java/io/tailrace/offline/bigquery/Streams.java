package io.tailrace.offline.bigquery;

import com.google.api.gax.rpc.ApiException;
import com.google.api.gax.rpc.StatusCode;
import com.google.cloud.bigquery.storage.v1.TableFieldSchema;
import com.google.cloud.bigquery.storage.v1.TableSchema;
import io.tailrace.endpoint.UnavailableException;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.beam.sdk.io.gcp.bigquery.BigQueryServices.WriteStreamService;

/**
 * Asks the streams of tables whether they can be written to: a stream sees a new table, and a new
 * column, later than whoever has made it. What was seen is not asked again. Not thread-safe.
 */
final class Streams {
  private final BigQueryAddress address;
  private final WriteStreamService service;
  private final Set<Destination> usable = new HashSet<>();

  Streams(BigQueryAddress address, WriteStreamService service) {
    this.address = address;
    this.service = service;
  }

  /** Forgets what was seen: an append has failed. */
  void forget() {
    usable.clear();
  }

  /**
   * Returns why rows can't be appended to a table now; empty: they can.
   *
   * @throws UnavailableException if nobody can be asked
   */
  Optional<String> whyNot(Destination destination) throws UnavailableException {
    if (usable.contains(destination)) {
      return Optional.empty();
    }
    Optional<String> whyNot = ask(destination);
    if (whyNot.isEmpty()) {
      usable.add(destination);
    }
    return whyNot;
  }

  private Optional<String> ask(Destination destination) throws UnavailableException {
    TableSchema found;
    try {
      found = service.getWriteStreamSchema(destination.defaultStream());
    } catch (ApiException e) {
      StatusCode.Code code = e.getStatusCode().getCode();
      if (code == StatusCode.Code.NOT_FOUND) {
        return Optional.of("streams do not see " + destination.table() + " yet");
      }
      if (code == StatusCode.Code.PERMISSION_DENIED) {
        return Optional.of(
            destination.table()
                + " may not be appended to: grant the writer roles/bigquery.dataEditor on it");
      }
      throw new UnavailableException(
          address.text() + ": " + destination.table() + ": " + e.getMessage(), e);
    }
    if (found == null) {
      return Optional.of("streams do not see " + destination.table() + " yet");
    }
    Set<String> lacking =
        TableDesign.written(destination.shape()).getFields().stream()
            .map(field -> field.getName())
            .collect(Collectors.toCollection(TreeSet::new));
    lacking.removeAll(
        found.getFieldsList().stream().map(TableFieldSchema::getName).collect(Collectors.toSet()));
    return lacking.isEmpty()
        ? Optional.empty()
        : Optional.of(
            "streams do not see the columns "
                + String.join(", ", lacking)
                + " of "
                + destination.table()
                + " yet");
  }
}

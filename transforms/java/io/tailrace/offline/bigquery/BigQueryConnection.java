package io.tailrace.offline.bigquery;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BatchConnection;
import io.tailrace.offline.ContentRejectedException;
import io.tailrace.offline.Feature;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.FileBatch;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.RowNumbers;
import io.tailrace.offline.bigquery.AppendedRow.Asked;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.QueryRow;
import io.tailrace.parquet.TableNames;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates tables of BigQuery, and turns files into the rows that go into them: those are taken by
 * whoever appends them. Rows of a table whose stream does not see it yet are not among them: the
 * table is one that refuses its rows, and is tried again. Not thread-safe.
 */
final class BigQueryConnection implements BatchConnection {
  private static final Logger LOG = LoggerFactory.getLogger(BigQueryConnection.class);

  private final BigQueryAddress address;
  private final BigQueryTables tables;
  private final Streams streams;
  private final List<Taken> taken = new ArrayList<>();
  // By dataset and namespace: empty where the latest table is as it is wanted.
  private final Map<String, Optional<String>> latest = new HashMap<>();
  // Latest tables that took no rows: they are not waited for a second time.
  private final Set<Destination> sick = new HashSet<>();

  /** A row on its way, and the file that it is of. */
  record Taken(ObservationFile file, AppendedRow row) {}

  BigQueryConnection(BigQueryAddress address, BigQueryTables tables, Streams streams) {
    this.address = address;
    this.tables = tables;
    this.streams = streams;
  }

  /** Takes the rows that were made since the last time. */
  List<Taken> take() {
    List<Taken> all = List.copyOf(taken);
    taken.clear();
    return all;
  }

  /** Forgets rows, and what was seen of tables: a bundle has failed. */
  void forget() {
    taken.clear();
    tables.forget();
    streams.forget();
    latest.clear();
  }

  @Override
  public List<Conflict> create(String environment, List<FeatureTable> wanted)
      throws ContentRejectedException, UnavailableException {
    return tables.create(environment, wanted);
  }

  /** Of a dataset that is new, no stream sees any table yet: that is waited for. */
  @Override
  public boolean takesRows(String environment) throws UnavailableException {
    await(log(environment));
    return true;
  }

  /** Waits until the stream of a table that is the writer's own sees it. */
  private void await(Destination destination) throws UnavailableException {
    Retry retry = Retry.of(address.text(), patience());
    Optional<String> whyNot = streams.whyNot(destination);
    while (whyNot.isPresent()) {
      retry.pause(whyNot.get());
      whyNot = streams.whyNot(destination);
    }
  }

  /**
   * Returns why the latest table of a namespace takes no rows, which is the affair of that
   * namespace; empty: it does. It may be new, and is waited for once.
   */
  private Optional<String> whyNoRows(Destination destination) throws UnavailableException {
    Optional<String> whyNot = streams.whyNot(destination);
    Retry retry = Retry.of(address.text(), patience());
    while (whyNot.isPresent() && !sick.contains(destination)) {
      if (pauses(retry, whyNot.get())) {
        whyNot = streams.whyNot(destination);
      } else {
        sick.add(destination);
        LOG.warn("{} takes no rows: {}", destination.table(), whyNot.get());
      }
    }
    if (whyNot.isEmpty() && sick.remove(destination)) {
      LOG.info("{} takes rows again: replay its letters", destination.table());
    }
    return whyNot;
  }

  /** Pauses; returns whether there was still time to. */
  private static boolean pauses(Retry retry, String trouble) throws UnavailableException {
    try {
      retry.pause(trouble);
      return true;
    } catch (UnavailableException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw e;
      }
      return false;
    }
  }

  @Override
  public Duration patience() {
    return address.access().timeouts().retryFor();
  }

  private Destination destination(String environment, String table, Shape shape) {
    return new Destination(address.project(), address.dataset(environment), table, shape);
  }

  private Destination log(String environment) {
    return destination(environment, TableNames.QUERY_LOG + TableDesign.ROWS, Shape.QUERIES);
  }

  @Override
  public BatchInserted insert(FileBatch batch)
      throws ContentRejectedException, UnavailableException {
    try {
      return batch.kind() == Kind.QUERIES ? insertQueries(batch) : new Observations(batch).insert();
    } catch (IOException e) {
      throw new ContentRejectedException("a file can't be read: " + e.getMessage(), e);
    }
  }

  private BatchInserted insertQueries(FileBatch batch) throws IOException, UnavailableException {
    Destination destination = log(batch.environment());
    Optional<String> whyNotNow = streams.whyNot(destination);
    if (whyNotNow.isPresent()) {
      return refusing(batch, Map.of(FeatureTable.LOG.feature(), whyNotNow.get()), 0, List.of());
    }
    Map<String, Taken> byId = new LinkedHashMap<>();
    List<Rejected> rejected = new ArrayList<>();
    long accepted = 0;
    for (int file = 0; file < batch.files().size(); file++) {
      ObservationFile from = batch.files().get(file);
      List<QueryRow> queries = from.queries();
      for (int row = 0; row < queries.size(); row++) {
        QueryRow query = queries.get(row);
        Optional<String> whyNot = Storable.whyNot(query);
        if (whyNot.isPresent()) {
          rejected.add(
              new Rejected(file, Reason.REJECTED_BY_STORE, RowNumbers.of(row), whyNot.get()));
          continue;
        }
        accepted++;
        byId.merge(
            query.operationId(),
            new Taken(from, appended(destination, from, batch, new Asked(query))),
            BigQueryConnection::united);
      }
    }
    taken.addAll(byId.values());
    return new BatchInserted(byId.size(), accepted - byId.size(), rejected);
  }

  /** The parts of a result are one query. */
  private static Taken united(Taken first, Taken second) {
    QueryRow query = ((Asked) first.row.content()).row();
    TreeSet<String> all = new TreeSet<>(query.valueTables());
    all.addAll(((Asked) second.row.content()).row().valueTables());
    AppendedRow row = first.row;
    return new Taken(
        first.file,
        new AppendedRow(
            row.destination(),
            row.origin(),
            row.environment(),
            new Asked(query.withTables(List.copyOf(all)))));
  }

  private static AppendedRow appended(
      Destination destination, ObservationFile file, FileBatch batch, AppendedRow.Content content) {
    return new AppendedRow(
        destination, file.message().withPayload(new byte[0]), batch.environment(), content);
  }

  /** Returns what became of a batch of which some tables can't be appended to now. */
  private static BatchInserted refusing(
      FileBatch batch, Map<Feature, String> whyNot, long rows, List<Rejected> rejected) {
    List<SickTable> sick = new ArrayList<>();
    whyNot.forEach(
        (feature, why) -> {
          List<Rejected> refused = new ArrayList<>();
          for (int file = 0; file < batch.files().size(); file++) {
            RowNumbers numbers = RowNumbers.of(batch.files().get(file), feature);
            if (numbers.count() > 0) {
              refused.add(new Rejected(file, Reason.TABLE_REFUSES, numbers, why));
            }
          }
          sick.add(new SickTable(batch.tables().getOrDefault(feature, ""), why, refused));
        });
    return new BatchInserted(rows, 0, rejected, sick, List.of());
  }

  /** Features of two namespaces may be called the same, and have the same ids. */
  private record Id(Feature feature, ByteBuffer id) {}

  /** Why rows that are stored are not in the latest table. */
  private record NotLatest(Reason reason, String why) {}

  /** A batch of observations on its way into rows. */
  private final class Observations {
    private final FileBatch batch;
    private final Map<Feature, Destination> destinations = new HashMap<>();
    private final Map<Feature, String> whyNotNow = new HashMap<>();
    private final Map<Id, Taken> byId = new LinkedHashMap<>();
    private final List<Rejected> rejected = new ArrayList<>();
    // By namespace: each is asked for once in a batch.
    private final Map<String, Optional<NotLatest>> notLatestOf = new HashMap<>();
    private long accepted;
    // Counted as rejected, although they are handed over.
    private long notLatest;

    Observations(FileBatch batch) {
      this.batch = batch;
    }

    BatchInserted insert() throws IOException, UnavailableException {
      for (Map.Entry<Feature, String> each : batch.tables().entrySet()) {
        Destination destination =
            batch
                .valueType()
                .map(
                    type ->
                        destination(
                            batch.environment(),
                            each.getValue() + TableDesign.ROWS,
                            Shape.values(batch.stringKeys(), type)))
                .orElseGet(
                    () ->
                        destination(
                            batch.environment(),
                            TableDesign.deletionsName(batch.stringKeys()),
                            Shape.deletions(batch.stringKeys())));
        Optional<String> whyNot = streams.whyNot(destination);
        if (whyNot.isEmpty()) {
          destinations.put(each.getKey(), destination);
        } else {
          whyNotNow.put(each.getKey(), whyNot.get());
        }
      }
      for (int file = 0; file < batch.files().size(); file++) {
        take(file);
      }
      taken.addAll(byId.values());
      if (address.sink().latest()) {
        for (Taken each : byId.values()) {
          takeLatest(each);
        }
      }
      long counted = accepted - notLatest;
      long rows = Math.min(byId.size(), counted);
      BatchInserted all = refusing(batch, whyNotNow, rows, rejected);
      return new BatchInserted(rows, counted - rows, all.rejected(), all.sick(), List.of());
    }

    private void take(int number) throws IOException, UnavailableException {
      ObservationFile file = batch.files().get(number);
      ObservationRows rows = file.rows();
      // A letter is made of all rows of a feature at once: each by itself would decode the file.
      Map<Feature, BitSet> withoutLatest = new LinkedHashMap<>();
      for (int row = 0; row < rows.count(); row++) {
        Feature feature = new Feature(rows.namespace(row), rows.feature(row));
        Destination destination = destinations.get(feature);
        if (destination == null) {
          continue;
        }
        LooseRow loose = LooseRow.of(file, rows, row);
        Optional<String> whyNot = Storable.whyNot(loose, batch.valueType());
        if (whyNot.isPresent()) {
          rejected.add(
              new Rejected(number, Reason.REJECTED_BY_STORE, RowNumbers.of(row), whyNot.get()));
          continue;
        }
        if (whyNoLatest(feature.namespace()).isPresent()) {
          notLatest++;
          withoutLatest.computeIfAbsent(feature, any -> new BitSet()).set(row);
        }
        accepted++;
        Observed observed = new Observed(loose, batch.stringKeys(), batch.valueType());
        Taken next = new Taken(file, appended(destination, file, batch, observed));
        byId.merge(new Id(feature, loose.id()), next, Observations::greater);
      }
      for (Map.Entry<Feature, BitSet> each : withoutLatest.entrySet()) {
        NotLatest why = whyNoLatest(each.getKey().namespace()).orElseThrow();
        rejected.add(
            new Rejected(
                number,
                why.reason,
                RowNumbers.of(each.getValue()),
                "it is stored, but not in the latest table: " + why.why));
      }
    }

    private static Taken greater(Taken one, Taken other) {
      return row(other).compareWithSameId(row(one)) > 0 ? other : one;
    }

    private static LooseRow row(Taken taken) {
      return ((Observed) taken.row.content()).row();
    }

    /** Returns why a namespace has no latest table; empty: it has, or none is wanted. */
    private Optional<NotLatest> whyNoLatest(String namespace) throws UnavailableException {
      if (!address.sink().latest()) {
        return Optional.empty();
      }
      Optional<NotLatest> whyNot = notLatestOf.get(namespace);
      if (whyNot == null) {
        whyNot = askForLatest(namespace);
        notLatestOf.put(namespace, whyNot);
      }
      return whyNot;
    }

    private Optional<NotLatest> askForLatest(String namespace) throws UnavailableException {
      String known = address.dataset(batch.environment()) + "/" + namespace;
      Optional<String> whyNot = latest.get(known);
      if (whyNot == null) {
        whyNot = tables.createLatest(batch.environment(), namespace);
        latest.put(known, whyNot);
      }
      return whyNot.isPresent()
          ? Optional.of(new NotLatest(Reason.NAME_TAKEN, whyNot.get()))
          : whyNoRows(latest(namespace)).map(why -> new NotLatest(Reason.TABLE_REFUSES, why));
    }

    private Destination latest(String namespace) {
      return destination(batch.environment(), TableDesign.latestName(namespace), Shape.LATEST);
    }

    private void takeLatest(Taken each) throws UnavailableException {
      String namespace = row(each).name().namespace();
      if (whyNoLatest(namespace).isEmpty()) {
        taken.add(new Taken(each.file, each.row.to(latest(namespace))));
      }
    }
  }

  @Override
  public void close() {
    tables.close();
  }
}

package io.tailrace.offline;

import static java.util.Objects.requireNonNull;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.result.Column;
import io.tailrace.result.Deletion;
import io.tailrace.result.Frame;
import io.tailrace.result.PersistencePolicy;
import io.tailrace.result.PersistencePolicy.Decision;
import io.tailrace.result.PrimaryKeys;
import io.tailrace.result.Result;
import io.tailrace.result.ValueType;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.stage.StageCounters;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.BitSet;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.display.DisplayData;
import org.apache.beam.sdk.values.PCollection;
import org.jspecify.annotations.Nullable;

/**
 * Creates the table of every feature that results bring, where it does not exist: once for each
 * worker, safely when many do so at once.
 *
 * <p>Puts the results out, without those columns whose table holds values or keys of another type:
 * these become a {@link Failure} with the reason {@code TYPE_CHANGED}. A store that is down is no
 * failure: the bundle fails and the runner repeats it.
 */
public final class CreateFeatureTables
    extends PTransform<PCollection<Result>, WithFailures.Result<PCollection<Result>, Failure>> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "CreateFeatureTables";

  private final OfflineStore store;

  private CreateFeatureTables(OfflineStore store) {
    this.store = store;
  }

  /**
   * Creates tables in the store that a URI names.
   *
   * @throws IllegalArgumentException if it names none; see {@link OfflineStores#at}
   */
  public static CreateFeatureTables in(String uri) {
    return in(OfflineStores.at(uri));
  }

  /** Creates tables in a store. */
  public static CreateFeatureTables in(OfflineStore store) {
    return new CreateFeatureTables(store);
  }

  @Override
  public WithFailures.Result<PCollection<Result>, Failure> expand(PCollection<Result> results) {
    return Outputs.of(results, "Create", new CreateFn(store));
  }

  @Override
  public void populateDisplayData(DisplayData.Builder builder) {
    builder.add(DisplayData.item("offlineStore", store.uri()).withLabel("Offline store"));
  }

  /** What this stage counts. */
  static final class Counts extends StageCounters {
    private static final long serialVersionUID = 1;

    final Count received =
        count("results_received", "messages", "results, before anything is done");
    final Count passed = count("results_passed", "messages", "results that went on");
    final Count rejected =
        count(
            "results_rejected",
            "messages",
            "results whose tables the store will never create: dead letters");
    final Count columnsRefused =
        count(
            "columns_refused",
            "columns",
            "columns and deletions left out of results, whose table has another type:"
                + " in dead letters");

    Counts() {
      super(STAGE);
      accounts(received, passed, rejected);
    }
  }

  private static final class CreateFn extends DoFn<Result, Result> {
    private static final long serialVersionUID = 1;

    private final OfflineStore store;
    private final Counts counts = new Counts();

    private transient @Nullable Catalog catalog;
    private transient @Nullable TableCache tables;
    // What a column needs, by what it says of itself: the same object for all results of a query.
    private transient Map<Need, FeatureTable> needs;

    private record Need(String namespace, String feature, boolean stringKeys, ValueType type) {
      FeatureTable table() {
        return new FeatureTable(new Feature(namespace, feature), stringKeys, Optional.of(type));
      }
    }

    CreateFn(OfflineStore store) {
      this.store = store;
    }

    @Setup
    public void setUp() {
      needs = new HashMap<>();
    }

    @StartBundle
    public void startBundle() {
      counts.clear();
    }

    @ProcessElement
    public void create(@Element Result result, MultiOutputReceiver out)
        throws UnavailableException {
      counts.received.add(1);
      if (tables == null) {
        catalog = store.openCatalog();
        tables = new TableCache(catalog);
      }
      TableCache cache = requireNonNull(tables);
      String environment = result.environmentId();
      Set<FeatureTable> missing = new LinkedHashSet<>();
      // Whoever sends back what a table refused has mended it.
      boolean isReplayed = result.message().replayed().isPresent();
      visit(
          result,
          (position, keys, table) -> {
            if (isReplayed) {
              cache.doubt(environment, table);
            }
            if (!cache.fits(environment, table)) {
              missing.add(table);
            }
          });
      try {
        cache.require(environment, missing);
      } catch (ContentRejectedException e) {
        counts.rejected.add(1);
        Outputs.failures(out)
            .output(
                Failure.ofMessage(
                    STAGE,
                    Reason.REJECTED_BY_STORE,
                    "",
                    String.valueOf(e.getMessage()),
                    result.message()));
        return;
      }
      counts.passed.add(1);
      if (missing.isEmpty()) {
        Outputs.<Result>main(out).output(result);
        return;
      }
      BitSet absent = new BitSet();
      RejectedCells rejected = new RejectedCells();
      visit(
          result,
          (position, keys, table) -> {
            // A table that can't be made or used now is whoever's who inserts: the rows are theirs.
            Optional<Catalog.Conflict> conflict =
                cache
                    .conflict(environment, table)
                    .filter(each -> each.reason() != Reason.TABLE_REFUSES);
            if (conflict.isPresent()) {
              absent.set(position);
              String place = result.place(position);
              String message = conflict.get().sentence();
              for (int row = 0; row < keys.count(); row++) {
                rejected.addAt(
                    place,
                    new RejectedCell(
                        conflict.get().reason(),
                        table.feature().namespace(),
                        keys.text(row),
                        table.feature().text(),
                        message),
                    1);
              }
            }
          });
      counts.columnsRefused.add(absent.cardinality());
      rejected.failure(STAGE, result.message()).ifPresent(Outputs.failures(out)::output);
      Outputs.<Result>main(out).output(result.without(absent));
    }

    @FinishBundle
    public void finishBundle() {
      counts.finish();
    }

    private interface Visitor {
      void visit(int position, PrimaryKeys keys, FeatureTable table);
    }

    /** Visits the columns and deletions that are to be stored, with their positions. */
    private void visit(Result result, Visitor visitor) {
      int position = 0;
      for (Frame frame : result.frames()) {
        for (Column column : frame.columns()) {
          if (PersistencePolicy.offline(column.spec()) == Decision.WRITE) {
            visitor.visit(
                position,
                frame.keys(),
                needs.computeIfAbsent(
                    new Need(
                        frame.namespace(),
                        column.spec().feature(),
                        frame.keys().areStrings(),
                        column.spec().type()),
                    Need::table));
          }
          position++;
        }
      }
      for (Deletion deletion : result.deletions()) {
        int count = Math.max(1, deletion.names().size());
        for (int i = 0; i < count; i++) {
          String name = deletion.wholeEntities() ? "" : deletion.names().get(i);
          visitor.visit(
              position++,
              deletion.keys(),
              new FeatureTable(
                  Feature.named(deletion.namespace(), name),
                  deletion.keys().areStrings(),
                  Optional.empty()));
        }
      }
    }

    @Teardown
    public void tearDown() {
      Catalog open = catalog;
      catalog = null;
      tables = null;
      if (open != null) {
        open.close();
      }
    }
  }
}

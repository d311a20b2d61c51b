package io.tailrace.offline.staging;

import io.tailrace.offline.InsertOutcome;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import io.tailrace.stage.Outputs;
import org.apache.beam.sdk.coders.KvCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.io.GenerateSequence;
import org.apache.beam.sdk.transforms.Create;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.GroupIntoBatches;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.transforms.WithKeys;
import org.apache.beam.sdk.transforms.windowing.GlobalWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.KV;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollection.IsBounded;
import org.apache.beam.sdk.values.PCollectionList;
import org.joda.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * The sink of a store that wants a minute of rows in one load by one owner, such as a warehouse:
 * stages each file where the store can read it, gathers the references in state, and loads them
 * together.
 *
 * <p>A bundle ends when its files are staged durably; from then on none is lost. References are
 * gathered for each environment (and owner, if it has several) until one of the {@link Limits} is
 * reached. What was staged and never loaded, as its reference went down with a job that was started
 * anew without state, is found by listing the stage, at every start and every hour: see {@link
 * Search}. A file has one name however often its message comes, and the {@link Ledger} knows which
 * names are loaded: so whoever loads a file again, a second owner or one who found it in the list
 * while its reference was on its way, changes nothing.
 *
 * <p>Puts out what became of each file when its rows are durable, and failures as {@link
 * io.tailrace.offline.InsertObservations} says; their letters hold the staged file, as the original
 * is no longer at hand. What happens between a load and the end of its bundle is told again: the
 * ledger keeps what was refused. A stage or store that is down is no failure: the bundle fails and
 * is repeated.
 *
 * <p>Three seams make it a store's own. The {@link Stage} is where its files wait. The {@link
 * Loader} loads a list of them; {@link SessionLoader} is one for stores that are inserted into. The
 * limits say how much it likes at once. How these fit the warehouses:
 *
 * <ul>
 *   <li>Snowflake: the stage is PUT, LIST, GET and REMOVE of an internal stage over the session, or
 *       an integration's bucket; many files are put at once, as PUT takes them. The loader copies
 *       by the names in the references into transient tables, typed by what the references say of
 *       each file, and merges table by table; DDL comes first, as it commits. Lock row, merges and
 *       ledger are one transaction. A COPY takes 1,000 files: the default limit.
 *   <li>Redshift: the stage is a bucket. A manifest lists the references' addresses; COPY into
 *       temporary tables, merges, lock row and ledger are one transaction.
 *   <li>Databricks: the stage is a volume. COPY INTO skips a name that it knows, which the names
 *       here allow, as one always stands for the same bytes. It has no transaction over tables:
 *       merges go table by table, each with the row that keeps owners apart, and the ledger last,
 *       as {@link SessionLoader} does it.
 *   <li>A merge's range of time is asked of the staging table, table by table: references stay
 *       small, and files that were found need no more than a name.
 *   <li>Bulk loads have a ledger of their own (address, version, mapping) and come by notification,
 *       not by message: they share {@link Ledger}'s rule, that what was refused is entered and told
 *       again, and the loader's merge, but not this transform.
 * </ul>
 */
public final class StageThenLoad
    extends PTransform<
        PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>> {
  private static final long serialVersionUID = 1;

  /** How often it is looked whether it is time to list the stage. */
  private static final Duration TICK = Duration.standardSeconds(5);

  private final Stage stage;
  private final Loader.Factory loaders;
  private final Limits limits;
  private final Search search;
  private final @Nullable PTransform<PBegin, PCollection<Long>> ticks;

  private StageThenLoad(
      Stage stage,
      Loader.Factory loaders,
      Limits limits,
      Search search,
      @Nullable PTransform<PBegin, PCollection<Long>> ticks) {
    this.stage = stage;
    this.loaders = loaders;
    this.limits = limits;
    this.search = search;
    this.ticks = ticks;
  }

  /** Loads from a stage. */
  public static StageThenLoad from(Stage stage, Loader.Factory loaders) {
    return new StageThenLoad(stage, loaders, Limits.DEFAULT, Search.DEFAULT, null);
  }

  /** Loads as much at once as some limits say. */
  public StageThenLoad within(Limits other) {
    return new StageThenLoad(stage, loaders, other, search, ticks);
  }

  /** Searches the stage in another way. */
  public StageThenLoad searching(Search other) {
    return new StageThenLoad(stage, loaders, limits, other, ticks);
  }

  /** Looks whether it is time to list the stage whenever one of some elements comes. */
  StageThenLoad ticking(PTransform<PBegin, PCollection<Long>> other) {
    return new StageThenLoad(stage, loaders, limits, search, other);
  }

  @Override
  public WithFailures.Result<PCollection<InsertOutcome>, Failure> expand(
      PCollection<ObservationFile> files) {
    KvCoder<String, StagedFile> coder = KvCoder.of(StringUtf8Coder.of(), StagedFileCoder.of());
    PCollection<KV<String, StagedFile>> staged =
        // Nothing fails for ever before it is loaded.
        Outputs.of(files, "Stage", new StageFn(stage, limits.owners()))
            .output()
            .setCoder(coder)
            .apply("Forever", Window.into(new GlobalWindows()));
    PCollection<KV<String, StagedFile>> found =
        files
            .getPipeline()
            .apply("Tick", ticks == null ? ticks(files.isBounded()) : ticks)
            .apply("OneSearcher", WithKeys.of(""))
            .setCoder(KvCoder.of(StringUtf8Coder.of(), VarLongCoder.of()))
            .apply("Find", ParDo.of(new FindFn(stage, loaders, search, limits.owners())))
            .setCoder(coder);
    PCollection<KV<String, Iterable<StagedFile>>> gathered =
        PCollectionList.of(staged)
            .and(found)
            .apply("All", Flatten.pCollections())
            .apply(
                "Gather",
                GroupIntoBatches.<String, StagedFile>ofSize(limits.files())
                    .withByteSize(limits.bytes(), file -> file.size().bytes())
                    .withMaxBufferingDuration(Duration.millis(limits.gathering().toMillis())));
    return Outputs.of(gathered, "Load", new LoadFn(stage, loaders));
  }

  /** Returns who loads a file: all files of an owner are of one environment. */
  static String owner(StagedFile file, int owners) {
    return Math.floorMod(file.name().hashCode(), owners) + "/" + file.type().environment();
  }

  /** A pipeline that ends lists the stage once, one that goes on for ever now and then. */
  private static PTransform<PBegin, PCollection<Long>> ticks(IsBounded bounded) {
    return bounded == IsBounded.BOUNDED
        ? Create.of(0L)
        : GenerateSequence.from(0).withRate(1, TICK);
  }
}

package io.tailrace.shelf;

import io.tailrace.endpoint.AddedKind;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.Catalog;
import io.tailrace.offline.InsertOutcome;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.staging.DirectoryStage;
import io.tailrace.offline.staging.Limits;
import io.tailrace.offline.staging.StageThenLoad;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.UUID;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.WithFailures;
import org.apache.beam.sdk.values.PCollection;

/**
 * A small warehouse: a directory with a stage of files and a database that copies them, in one
 * transaction with its ledger. {@code shelf:///data/shelf}. It shows what a store over {@link
 * StageThenLoad} is made of: this class, a loader, and one line that names {@link Added}.
 * Immutable.
 */
public final class ShelfStore implements OfflineStore {
  private static final long serialVersionUID = 1;

  private static final String EXAMPLE = "shelf:///data/shelf?loadEvery=1m";

  private final String uri;
  private final String directory;
  private final Duration loadEvery;

  private ShelfStore(String uri, String directory, Duration loadEvery) {
    this.uri = uri;
    this.directory = directory;
    this.loadEvery = loadEvery;
  }

  /** The one line. */
  public static final class Added implements AddedKind<OfflineStore> {
    @Override
    public Class<OfflineStore> sort() {
      return OfflineStore.class;
    }

    @Override
    public Kind<OfflineStore> kind() {
      return Kind.of("shelf", EXAMPLE, ShelfStore::at);
    }
  }

  private static ShelfStore at(EndpointUri uri) {
    Duration every = uri.takeDuration("loadEvery").orElse(Duration.ofMinutes(1));
    if (uri.path().isEmpty()) {
      uri.problem("the path of the directory follows three slashes");
    }
    uri.finish(EXAMPLE);
    return new ShelfStore(uri.withoutSecrets(), "/" + uri.path(), every);
  }

  @Override
  public String uri() {
    return uri;
  }

  @Override
  public boolean separatesEnvironments() {
    return true;
  }

  private DirectoryStage stage() {
    return new DirectoryStage("file://" + directory + "/stage");
  }

  private ShelfDatabase database() {
    return new ShelfDatabase(Path.of(directory, "shelf.db").toString());
  }

  @Override
  public void check(Set<Role> roles) throws UnavailableException {
    stage().check();
    if (!Files.isWritable(Path.of(directory))) {
      throw new UnavailableException(uri + " can't be written to: let this user write into it");
    }
  }

  @Override
  public String identity() throws UnavailableException {
    Path id = Path.of(directory, "id");
    try {
      if (!Files.exists(id)) {
        Files.writeString(id, UUID.randomUUID().toString());
      }
      return Files.readString(id);
    } catch (IOException e) {
      throw new UnavailableException(uri + ": its id can't be read: " + e.getMessage(), e);
    }
  }

  @Override
  public Catalog openCatalog() {
    return new ShelfCatalog(database());
  }

  @Override
  public PTransform<
          PCollection<ObservationFile>, WithFailures.Result<PCollection<InsertOutcome>, Failure>>
      inserts() {
    ShelfDatabase database = database();
    return StageThenLoad.from(stage(), () -> new ShelfLoader(database))
        .within(Limits.DEFAULT.waiting(loadEvery));
  }

  @Override
  public OfflineReader reader() {
    return new ShelfReader(uri, database());
  }
}

package io.tailrace.offline.bulk;

import io.tailrace.endpoint.Micros;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.Notification.Origin;
import io.tailrace.offline.bulk.NotificationFiles.Named;
import io.tailrace.offline.bulk.ResultBucket.Found;
import io.tailrace.offline.staging.Ledger;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.WideFile;
import io.tailrace.stage.Failure;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.RejectedCell;
import io.tailrace.stage.RejectedCells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;

/** Loads the files of one notification. Not thread-safe. */
final class NotificationLoad {
  private final LoadResultFiles.Rules rules;
  private final BulkLoader loader;
  private final BulkLedger ledger;
  private final LoadCounts counts;
  private final Notification notification;
  private final BucketRequests requests;
  private final RefusedFiles notGiven;
  // What is refused of all files.
  private final RejectedCells refused = new RejectedCells();
  // Of the whole message.
  private Optional<Failure> whole = Optional.empty();

  NotificationLoad(
      LoadResultFiles.Rules rules,
      BulkLoader loader,
      LoadCounts counts,
      Notification notification) {
    this.rules = rules;
    this.loader = loader;
    this.ledger = new BulkLedger(loader.ledger());
    this.counts = counts;
    this.notification = notification;
    this.requests = new BucketRequests(rules.bucket());
    this.notGiven = new RefusedFiles(rules.bucket());
  }

  /** What files have in common that can be loaded together. */
  private record Group(Contents contents, WideFile.Checked columns) {}

  /** Returns what is refused, if anything is. */
  Optional<Failure> failure() {
    return whole.or(() -> refused.failure(LoadResultFiles.STAGE, notification.message()));
  }

  /** Loads what is not loaded, and returns how many rows are now in the store. */
  long run() throws UnavailableException {
    List<Named> named;
    try {
      if (notification.origin() == Origin.ROWS) {
        return insertRows();
      }
      named = new NotificationFiles(rules.bucket(), notGiven).find(notification);
      if (named.isEmpty()) {
        counts.notificationsIgnored.add(1);
      }
    } catch (InvalidMessageException e) {
      whole =
          Optional.of(
              Failure.ofMessage(
                  LoadResultFiles.STAGE,
                  e.reason(),
                  e.field(),
                  e.getMessage(),
                  notification.message()));
      return 0;
    }
    counts.filesNamed.add(named.size());
    notGiven.near(named.stream().map(Named::uri).toList());
    Map<Group, List<ResultFile>> groups = new LinkedHashMap<>();
    for (ResultFile file : unknown(described(named))) {
      groups
          .computeIfAbsent(
              new Group(file.contents(), file.checked().orElseThrow()), unused -> new ArrayList<>())
          .add(file);
    }
    long rows = 0;
    for (List<ResultFile> files : groups.values()) {
      for (List<ResultFile> some : parts(files)) {
        rows += load(some);
      }
    }
    return rows;
  }

  /** Inserts the rows of a letter that is sent back. */
  private long insertRows() throws InvalidMessageException, UnavailableException {
    ObservationFile file = FileDecoder.decode(notification.message(), refused);
    checkServed(file.environment());
    FileLoad load =
        new FileLoad(loader, counts, List.of(), new FileLoad.Published(notification.message(), 0));
    return load.insert(file, refused);
  }

  private void checkServed(String environment) throws InvalidMessageException {
    if (!rules.environments().isEmpty() && !rules.environments().contains(environment)) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_ENVIRONMENT,
          "",
          "environment '"
              + environment
              + "' is not one of those served here: "
              + String.join(", ", new TreeSet<>(rules.environments())));
    }
  }

  /** Finds out what files hold; those that are missing are refused. */
  private List<ResultFile> described(List<Named> named) throws UnavailableException {
    List<ResultFile> files = new ArrayList<>();
    for (Named each : named) {
      if (each.refusal().isPresent()) {
        refuse(each.place(), Reason.MISSING_FILE, notGiven.why(each.uri(), each.refusal().get()));
        continue;
      }
      if (each.found().isEmpty()) {
        refuse(
            each.place(),
            Reason.MISSING_FILE,
            each.uri() + " is not there: write it and replay this letter");
        continue;
      }
      Found found = each.found().get();
      if (notification.contents().isPresent()) {
        files.add(new ResultFile(rules.bucket(), each, found, notification.contents().get()));
        continue;
      }
      ofFooter(each, found).ifPresent(files::add);
    }
    return files;
  }

  private Optional<ResultFile> ofFooter(Named each, Found found) throws UnavailableException {
    try (WideFile file = WideFile.open(rules.bucket().open(found))) {
      Contents contents = NotificationFormat.ofFooter(file.texts());
      checkServed(contents.environment());
      return Optional.of(new ResultFile(rules.bucket(), each, found, contents));
    } catch (InvalidMessageException e) {
      refuse(each.place(), e.reason(), each.uri() + ": " + e.getMessage());
    } catch (IOException e) {
      unreadable(each, found, e);
    }
    return Optional.empty();
  }

  /** What can't be read may be gone by now, be another file, or be refused. */
  private void unreadable(Named file, Found found, IOException e) throws UnavailableException {
    refuse(
        file.place(),
        Reason.MISSING_FILE,
        rules.bucket().hasChanged(found)
            ? changed(file.uri())
            : notGiven.why(file.uri(), ResultBucket.notGiven(file.uri(), e)));
  }

  private static String changed(String uri) {
    return uri
        + " changed while it was read: write a file once, under a name of its own, and replay this"
        + " letter";
  }

  private void refuse(String place, Reason reason, String message) {
    counts.filesRejected.add(1);
    refused.addAt(place, new RejectedCell(reason, "", "", "", message), 1);
  }

  /** Leaves out what the ledger has, and what can't be loaded. */
  private List<ResultFile> unknown(List<ResultFile> files) throws UnavailableException {
    Map<String, List<ResultFile>> byEnvironment = new LinkedHashMap<>();
    for (ResultFile file : files) {
      byEnvironment
          .computeIfAbsent(file.contents().environment(), unused -> new ArrayList<>())
          .add(file);
    }
    List<ResultFile> unknown = new ArrayList<>();
    boolean isReplayed = notification.message().replayed().isPresent();
    for (Map.Entry<String, List<ResultFile>> each : byEnvironment.entrySet()) {
      Map<String, Failure.Cells> known =
          ledger.find(each.getKey(), each.getValue().stream().map(ResultFile::ledgerName).toList());
      for (ResultFile file : each.getValue()) {
        Failure.Cells before = known.get(file.ledgerName());
        // What was refused is told as often as the message comes, and tried when it is sent back.
        if (before != null && (before.count() == 0 || !isReplayed)) {
          counts.filesKnown.add(1);
          refused.add(file.place(), before);
        } else {
          unknown.add(file);
        }
      }
    }
    return sound(unknown);
  }

  /** Leaves out what can't be loaded. */
  private List<ResultFile> sound(List<ResultFile> files) throws UnavailableException {
    List<ResultFile> sound = new ArrayList<>();
    List<Optional<Exception>> whyNot = requests.ask(files, NotificationLoad::whyNotSound);
    for (int i = 0; i < files.size(); i++) {
      ResultFile file = files.get(i);
      if (whyNot.get(i).isEmpty()) {
        sound.add(file);
      } else if (whyNot.get(i).get() instanceof InvalidMessageException e) {
        refuse(file.place(), e.reason(), file.uri() + ": " + e.getMessage());
      } else if (whyNot.get(i).get() instanceof IOException e) {
        unreadable(file.named(), file.found(), e);
      }
    }
    return sound;
  }

  private static Optional<Exception> whyNotSound(ResultFile file) {
    try {
      file.check();
      return Optional.empty();
    } catch (InvalidMessageException | IOException e) {
      return Optional.of(e);
    }
  }

  private List<List<ResultFile>> parts(List<ResultFile> files) {
    WideLoads.Most most = loader.wide().most();
    List<List<ResultFile>> parts = new ArrayList<>();
    List<ResultFile> part = new ArrayList<>();
    long bytes = 0;
    for (ResultFile file : files) {
      if (!part.isEmpty()
          && (part.size() == most.files() || bytes + file.found().size() > most.bytes())) {
        parts.add(part);
        part = new ArrayList<>();
        bytes = 0;
      }
      part.add(file);
      bytes += file.found().size();
    }
    if (!part.isEmpty()) {
      parts.add(part);
    }
    return parts;
  }

  private long load(List<ResultFile> files) throws UnavailableException {
    long until =
        Micros.plus(
            notification.message().time().publishTime(Micros.now()),
            Micros.of(rules.maxClockSkew()));
    FileLoad load =
        new FileLoad(loader, counts, files, new FileLoad.Published(notification.message(), until));
    long rows;
    try {
      rows = load.run(() -> whole(files));
    } catch (FileChangedException e) {
      return loadOthers(files, e);
    }
    Map<String, Failure.Cells> entries = new LinkedHashMap<>();
    List<Boolean> changed = load.isEntered() ? List.of() : changed(files);
    for (int i = 0; i < files.size(); i++) {
      ResultFile file = files.get(i);
      if (!load.isEntered()) {
        if (changed.get(i) || load.hasSeenChange(i)) {
          refuse(file.place(), Reason.MISSING_FILE, changed(file.uri()));
          continue;
        }
        Failure.Cells cells = load.refused(i);
        refused.add(file.place(), cells);
        entries.put(file.ledgerName(), cells);
      }
      counts.filesLoaded.add(1);
      counts.bytesLoaded.add(file.found().size());
    }
    if (!entries.isEmpty()) {
      ledger.enter(files.get(0).contents().environment(), entries);
    }
    return rows;
  }

  /** Loads those that have not changed. */
  private long loadOthers(List<ResultFile> files, FileChangedException e)
      throws UnavailableException {
    List<Boolean> changed = changed(files);
    List<ResultFile> others = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      if (changed.get(i)) {
        refuse(files.get(i).place(), Reason.MISSING_FILE, changed(files.get(i).uri()));
      } else {
        others.add(files.get(i));
      }
    }
    if (others.size() == files.size()) {
      // Somebody has put back what was there: the whole message is dealt with anew.
      throw e;
    }
    return others.isEmpty() ? 0 : load(others);
  }

  /** Returns what is entered of files of which nothing is refused, if none has changed. */
  private List<Ledger.Entry> whole(List<ResultFile> files) throws UnavailableException {
    if (changed(files).contains(true)) {
      return List.of();
    }
    Map<String, Failure.Cells> entries = new LinkedHashMap<>();
    files.forEach(file -> entries.put(file.ledgerName(), Failure.Cells.NONE));
    return BulkLedger.entries(entries);
  }

  private List<Boolean> changed(List<ResultFile> files) throws UnavailableException {
    return requests.ask(files, ResultFile::hasChanged);
  }
}

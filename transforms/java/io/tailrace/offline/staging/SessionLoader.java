package io.tailrace.offline.staging;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.Inserted.Rejected;
import io.tailrace.offline.staging.Ledger.Entry;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.stage.InvalidMessageException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Loads staged files by a session that inserts them, and enters them into the ledger when their
 * rows are durable: for a store whose rows come from here, not from files that it reads itself. Not
 * thread-safe.
 *
 * <p>A crash between the two repeats the load, which the ids of the rows make harmless.
 */
public final class SessionLoader implements Loader {
  private final InsertSession session;
  private final Ledger.Book ledger;

  private SessionLoader(InsertSession session, Ledger.Book ledger) {
    this.session = session;
    this.ledger = ledger;
  }

  /** Loads by a session, which is closed with the loader. */
  public static SessionLoader by(InsertSession session, Ledger.Book ledger) {
    return new SessionLoader(session, ledger);
  }

  /** Loads by the same session and enters files into another ledger. */
  SessionLoader with(Ledger.Book other) {
    return new SessionLoader(session, other);
  }

  /** What became of the files so far, by their positions in the list. */
  private static final class Tally {
    private final List<Rejected> rejected = new ArrayList<>();
    private final Map<Integer, String> refused = new HashMap<>();
    private long rowsKnown;
    private long queriesKnown;

    void tellAgain(int position, StagedFile file, Entry entry) {
      if (entry.refused().isPresent()) {
        refused.put(position, entry.refused().get());
        return;
      }
      long stored = file.size().rows();
      for (Rejected rows : entry.rejected()) {
        rejected.add(rows.of(position));
        stored -= rows.rows().count();
      }
      switch (file.type().kind()) {
        case QUERIES -> queriesKnown += stored;
        case OBSERVATIONS -> rowsKnown += stored;
      }
    }

    Inserted plus(Inserted inserted) {
      return new Inserted(
          inserted.rows().andKnown(rowsKnown),
          inserted.queries().andKnown(queriesKnown),
          inserted.tables(),
          rejected,
          refused);
    }
  }

  @Override
  public Inserted load(Stage.Connection stage, List<StagedFile> files) throws UnavailableException {
    if (files.isEmpty()) {
      return Inserted.NOTHING;
    }
    String environment = files.get(0).type().environment();
    Map<String, Entry> entered =
        ledger.find(environment, files.stream().map(StagedFile::name).toList());
    Tally tally = new Tally();
    List<Integer> positions = new ArrayList<>();
    List<ObservationFile> decoded = new ArrayList<>();
    List<Entry> damaged = new ArrayList<>();
    for (int i = 0; i < files.size(); i++) {
      StagedFile file = files.get(i);
      Entry entry = entered.get(file.name());
      if (entry != null) {
        tally.tellAgain(i, file, entry);
        continue;
      }
      Optional<byte[]> bytes = stage.read(file.name());
      if (bytes.isEmpty()) {
        tally.refused.put(i, missing(file));
        continue;
      }
      try {
        decoded.add(FileDecoder.decode(file.origin().withPayload(bytes.get())));
        positions.add(i);
      } catch (InvalidMessageException e) {
        String why = "the staged file " + file.name() + " is damaged: " + e.getMessage();
        tally.refused.put(i, why);
        damaged.add(new Entry(file.name(), Instant.now(), List.of(), Optional.of(why)));
      }
    }
    Inserted inserted = decoded.isEmpty() ? Inserted.NOTHING : session.insert(decoded);
    List<Entry> entries = new ArrayList<>(damaged);
    entries.addAll(entries(files, positions, inserted));
    if (!entries.isEmpty()) {
      ledger.enter(environment, entries);
    }
    for (Rejected rows : inserted.rejected()) {
      tally.rejected.add(rows.of(positions.get(rows.file())));
    }
    inserted.refused().forEach((file, why) -> tally.refused.put(positions.get(file), why));
    return tally.plus(inserted);
  }

  private static String missing(StagedFile file) {
    return "the staged file "
        + file.name()
        + " is neither in the stage "
        + file.stage()
        + " nor in the ledger: it was deleted by hand, or loaded so long ago that the ledger has"
        + " forgotten it; if in doubt, read the topic again from this message on";
  }

  private static List<Entry> entries(
      List<StagedFile> files, List<Integer> positions, Inserted inserted) {
    Map<Integer, List<Rejected>> rejected = new HashMap<>();
    for (Rejected rows : inserted.rejected()) {
      rejected.computeIfAbsent(rows.file(), unused -> new ArrayList<>()).add(rows.of(0));
    }
    Instant now = Instant.now();
    List<Entry> entries = new ArrayList<>();
    for (int i = 0; i < positions.size(); i++) {
      entries.add(
          new Entry(
              files.get(positions.get(i)).name(),
              now,
              rejected.getOrDefault(i, List.of()),
              Optional.ofNullable(inserted.refused().get(i))));
    }
    return entries;
  }

  @Override
  public Ledger ledger() {
    return ledger;
  }

  @Override
  public void close() {
    session.close();
  }
}

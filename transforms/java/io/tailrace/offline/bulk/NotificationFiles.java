package io.tailrace.offline.bulk;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Folder;
import io.tailrace.offline.bulk.Notification.Origin;
import io.tailrace.offline.bulk.ResultBucket.Found;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the files that a notification names, or those of its folder. Not thread-safe.
 *
 * @param bucket where they must be
 * @param refused tells what the bucket does not give
 */
record NotificationFiles(ResultBucket bucket, RefusedFiles refused) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** A manifest names files, and does not hold them. */
  private static final long MAX_MANIFEST_BYTES = 16 << 20;

  /**
   * A file that a notification names, at a place in it.
   *
   * @param found empty: it is not there
   * @param refusal the bucket does not say whether it is there
   */
  record Named(
      String uri, String place, Optional<Found> found, Optional<FileRefusedException> refusal) {
    static Named at(String place, String uri) {
      return new Named(uri, place, Optional.empty(), Optional.empty());
    }
  }

  /**
   * Finds files.
   *
   * @throws InvalidMessageException if it can't be said which they are, or not all are there
   * @throws UnavailableException if the bucket can't be asked now
   */
  List<Named> find(Notification notification) throws InvalidMessageException, UnavailableException {
    if (notification.folder().isPresent()) {
      Folder folder = notification.folder().get();
      return folder.manifest().isEmpty() ? counted(folder) : listed(folder);
    }
    List<Named> files = new ArrayList<>();
    for (String uri : notification.files()) {
      if (notification.origin() == Origin.CLOUD && !bucket.isResult(uri)) {
        continue;
      }
      files.add(Named.at("files[" + files.size() + "]", uri));
    }
    return found(files);
  }

  /** Looks for all of them. */
  private List<Named> found(List<Named> files) throws UnavailableException {
    return new BucketRequests(bucket).ask(files, this::asked);
  }

  private Named asked(Named file) throws UnavailableException {
    try {
      return new Named(file.uri, file.place, bucket.find(file.uri), Optional.empty());
    } catch (FileRefusedException e) {
      return new Named(file.uri, file.place, Optional.empty(), Optional.of(e));
    }
  }

  private List<Named> counted(Folder folder) throws InvalidMessageException, UnavailableException {
    SomeNames found = new SomeNames(folder.count());
    bucket.list(folder.uri(), found);
    if (found.count() != folder.count()) {
      throw new InvalidMessageException(
          found.count() < folder.count() ? Reason.MISSING_FILE : Reason.INVALID_VALUE,
          "prefix.count",
          folder.uri()
              + " has "
              + found.count()
              + " files that end with .parquet, and the message counts "
              + folder.count()
              + (found.count() < folder.count()
                  ? ": when all are there, replay this letter"
                  : ": a folder is for the files of one result"));
    }
    List<Named> named = new ArrayList<>();
    for (String uri : found.names()) {
      // Asked for by such a name, a bucket gives another file; a disk does not.
      Optional<String> whyNot = BucketAddress.whyNot(uri);
      if (whyNot.isPresent() && !bucket.isLocal()) {
        throw new InvalidMessageException(Reason.INVALID_VALUE, "prefix.uri", whyNot.get());
      }
      named.add(Named.at("prefix", uri));
    }
    return found(named);
  }

  private List<Named> listed(Folder folder) throws InvalidMessageException, UnavailableException {
    Named asked = asked(Named.at("prefix.manifest", folder.manifest()));
    if (asked.refusal.isPresent()) {
      throw refused(folder.manifest(), asked.refusal.get());
    }
    Found manifest =
        asked.found.orElseThrow(
            () ->
                new InvalidMessageException(
                    Reason.MISSING_FILE,
                    "prefix.manifest",
                    "there is no manifest " + folder.manifest()));
    JsonNode files = read(manifest).path("files");
    if (!files.isArray() || files.isEmpty()) {
      throw manifest(manifest, "names no files; expected {\"files\": [\"part-0.parquet\"]}");
    }
    List<Named> named = new ArrayList<>();
    Set<String> known = new HashSet<>();
    for (JsonNode each : files) {
      String uri = each.asText().contains("://") ? each.asText() : folder.uri() + each.asText();
      String place = "prefix.manifest.files[" + named.size() + "]";
      Optional<String> whyNot =
          each.isTextual() ? BucketAddress.whyNoFile(uri) : Optional.of(each + " is no name");
      if (whyNot.isEmpty() && !uri.startsWith(folder.uri())) {
        whyNot = Optional.of("'" + uri + "' is not in " + folder.uri());
      }
      if (whyNot.isEmpty() && !known.add(uri)) {
        whyNot = Optional.of("the file " + uri + " is named twice");
      }
      if (whyNot.isPresent()) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE, place, "the manifest " + manifest.uri() + ": " + whyNot.get());
      }
      named.add(Named.at(place, uri));
    }
    return found(named);
  }

  private JsonNode read(Found manifest) throws InvalidMessageException, UnavailableException {
    if (manifest.size() > MAX_MANIFEST_BYTES) {
      throw manifest(manifest, "has " + manifest.size() + " bytes: 16 MB are read");
    }
    byte[] bytes = new byte[(int) manifest.size()];
    try (SeekableByteChannel channel = bucket.open(manifest)) {
      ByteBuffer to = ByteBuffer.wrap(bytes);
      while (to.hasRemaining() && channel.read(to) >= 0) {
        // Until it ends.
      }
    } catch (IOException e) {
      throw refused(manifest.uri(), ResultBucket.notGiven(manifest.uri(), e));
    }
    try {
      return JSON.readTree(bytes);
    } catch (IOException e) {
      throw manifest(manifest, "is not JSON: " + e.getMessage());
    }
  }

  private InvalidMessageException refused(String manifest, UnavailableException e)
      throws UnavailableException {
    return new InvalidMessageException(
        Reason.MISSING_FILE, "prefix.manifest", refused.why(manifest, e));
  }

  private static InvalidMessageException manifest(Found manifest, String what) {
    return new InvalidMessageException(
        Reason.INVALID_VALUE, "prefix.manifest", "the manifest " + manifest.uri() + " " + what);
  }
}

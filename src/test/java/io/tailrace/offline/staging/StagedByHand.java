package io.tailrace.offline.staging;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Stages files without a pipeline, for tests of stores over {@link StageThenLoad}. */
public final class StagedByHand {
  private final Stage stage;
  private long offset;

  public StagedByHand(Stage stage) {
    this.stage = stage;
  }

  /** Stages the files of results, and returns references to them. */
  public List<StagedFile> put(QueryResult... results) throws Exception {
    List<ObservationFile> encoded = new ArrayList<>(BundleEncoder.files(results));
    // The same in each run.
    encoded.sort(
        Comparator.comparing(ObservationFile::kind)
            .thenComparing(file -> file.valueType().map(Enum::ordinal).orElse(-1))
            .thenComparing(ObservationFile::stringKeys));
    List<ObservationFile> files = new ArrayList<>();
    for (ObservationFile file : encoded) {
      files.add(numbered(file.bytes()));
    }
    return put(files);
  }

  /** Returns a file as the next message of a topic. */
  public ObservationFile numbered(byte[] bytes) throws Exception {
    return FileDecoder.decode(
        BusMessage.of(
            bytes,
            Place.numbered("inserts", 0, offset++),
            MessageTime.ofBus(BundleEncoder.PUBLISHED_AT)));
  }

  /** Stages files, and returns references to them. */
  public List<StagedFile> put(List<ObservationFile> files) throws UnavailableException {
    Map<String, byte[]> named = new LinkedHashMap<>();
    List<StagedFile> references = refer(files);
    for (int i = 0; i < files.size(); i++) {
      String name = references.get(i).name();
      named.put(name, stage.form().of(files.get(i), name));
    }
    try (Stage.Connection connection = stage.open()) {
      connection.put(named);
    }
    return references;
  }

  /** Returns references to files that are not staged. */
  public List<StagedFile> refer(List<ObservationFile> files) {
    return files.stream()
        .map(
            file -> {
              String name = StagedNames.of(file);
              return StagedFile.of(file, stage.uri(), name, stage.form().of(file, name).length);
            })
        .toList();
  }
}

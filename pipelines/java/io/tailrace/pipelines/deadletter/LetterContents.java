package io.tailrace.pipelines.deadletter;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.NotificationFormat;
import io.tailrace.parquet.FileDecoder;
import io.tailrace.parquet.FileDescription;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.pipelines.Writer;
import io.tailrace.pipelines.Writers;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.Overflow;
import io.tailrace.v1.Column;
import io.tailrace.v1.Deletion;
import io.tailrace.v1.Frame;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QueryResult;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The messages that letters are of: whole again, where a part of one went to a file, and decoded as
 * far as they can be. Immutable.
 *
 * @param overflow where the files are; empty: files are left alone
 */
record LetterContents(Optional<Overflow> overflow) {
  private static final byte[] NOTHING = {};

  /** What the value of a message is. */
  enum Kind {
    RESULT,
    FILE,
    SUMMARY,
    NOTIFICATION
  }

  /** Returns what a letter's value should be: the writer that refused it tells. */
  static Kind kind(StoredLetter letter) {
    String reads = writer(letter).map(Writer::reads).orElse("");
    if (letter.isRows() || reads.equals("streamingInsertBus")) {
      return Kind.FILE;
    }
    return switch (reads) {
      case "metricsBus" -> Kind.SUMMARY;
      case "bulkUploadBus" -> Kind.NOTIFICATION;
      default -> Kind.RESULT;
    };
  }

  /** Returns the writer that refused a letter's message, if this version has it. */
  static Optional<Writer<?>> writer(StoredLetter letter) {
    return Writers.ALL.stream()
        .filter(writer -> writer.name().equals(letter.letter().writer()))
        .findFirst();
  }

  /**
   * Returns the message as it can be sent back, addressed to its writer.
   *
   * @throws UnavailableException in a sentence that says what to do, if a part of it is in a file
   *     that can't be read, or nowhere
   */
  OutgoingMessage addressed(StoredLetter letter) throws UnavailableException {
    BusMessage message = letter.message();
    OutgoingMessage rest =
        new OutgoingMessage(
            message.hasKey() ? message.key() : null,
            message.hasPayload() ? message.payload() : null,
            letter.letter().addressed());
    Optional<String> uri = letter.payloadUri();
    if (uri.isEmpty()) {
      return rest;
    }
    Overflow directory =
        overflow.orElseThrow(
            () ->
                new UnavailableException(
                    "the rest of it is in "
                        + uri.get()
                        + ": name its directory, as the writers do, with --deadLetterOverflow"));
    try {
      return directory.restore(uri.get(), rest);
    } catch (IOException e) {
      throw new UnavailableException("the rest of it can't be read: " + e.getMessage(), e);
    }
  }

  /** Returns the value of the message; empty if it is in a file that can't be read. */
  Optional<byte[]> value(StoredLetter letter) {
    if (letter.payloadUri().isEmpty()) {
      return Optional.of(letter.message().payload());
    }
    try {
      return Optional.of(addressed(letter).bytes());
    } catch (UnavailableException e) {
      // Who looks for something in it passes over what can't be looked into.
      return Optional.empty();
    }
  }

  /** Returns the environment that the message says it is of; empty if that can't be read. */
  Optional<String> environment(StoredLetter letter) {
    byte[] value = value(letter).orElse(NOTHING);
    Optional<String> environment =
        switch (kind(letter)) {
          case RESULT -> result(value).map(QueryResult::getEnvironmentId);
          case SUMMARY -> summary(value).map(MetricsSummary::getEnvironmentId);
          case NOTIFICATION -> uploaded(value).map(Contents::environment);
          case FILE ->
              FileDescription.of(value)
                  .map(file -> file.texts().getOrDefault(ObservationSchema.ENVIRONMENT_ID, ""));
        };
    return environment.filter(name -> !name.isEmpty());
  }

  /**
   * Returns the features that a letter is about: those of the cells that were refused, or else
   * those of the whole message.
   */
  Set<String> features(StoredLetter letter) {
    Set<String> features =
        LetterCells.of(letter.letter()).stream()
            .map(LetterCells.Cell::feature)
            .filter(feature -> !feature.isEmpty())
            .collect(Collectors.toCollection(LinkedHashSet::new));
    if (features.isEmpty()) {
      byte[] value = value(letter).orElse(NOTHING);
      switch (kind(letter)) {
        case RESULT -> result(value).ifPresent(result -> add(features, result));
        case SUMMARY ->
            summary(value)
                .filter(MetricsSummary::hasFeature)
                .ifPresent(summary -> features.add(summary.getFeature().getFeature()));
        case NOTIFICATION ->
            uploaded(value)
                .ifPresent(
                    it -> it.mapping().features().forEach(each -> features.add(each.feature())));
        case FILE ->
            file(letter, value)
                .ifPresent(file -> file.features().forEach(each -> features.add(name(each))));
      }
    }
    return features;
  }

  /** Returns the result that bytes are, if they are one. */
  static Optional<QueryResult> result(byte[] value) {
    try {
      return Optional.of(QueryResult.parseFrom(value));
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty();
    }
  }

  private static Optional<MetricsSummary> summary(byte[] value) {
    try {
      return Optional.of(MetricsSummary.parseFrom(value));
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty();
    }
  }

  /** Returns what a message says of the files that it names, if it says it. */
  private static Optional<Contents> uploaded(byte[] value) {
    try {
      return Optional.of(NotificationFormat.contents(value));
    } catch (InvalidMessageException e) {
      return Optional.empty();
    }
  }

  /** Returns the file of observations that bytes are, if all of it is sound. */
  static Optional<ObservationFile> file(StoredLetter letter, byte[] value) {
    BusMessage original = letter.message();
    try {
      return Optional.of(
          FileDecoder.decode(
              BusMessage.of(value, null, original.place(), original.time(), Headers.NONE)));
    } catch (InvalidMessageException e) {
      return Optional.empty();
    }
  }

  private static String name(ObservationFile.FeatureRows rows) {
    return rows.feature().startsWith(rows.namespace() + ".")
        ? rows.feature()
        : rows.namespace() + "." + rows.feature();
  }

  private static void add(Set<String> features, QueryResult result) {
    for (Frame frame : result.getFramesList()) {
      for (Column column : frame.getColumnsList()) {
        features.add(column.getFeature());
      }
    }
    for (Deletion deletion : result.getDeletionsList()) {
      features.addAll(deletion.getFeaturesList());
    }
  }
}

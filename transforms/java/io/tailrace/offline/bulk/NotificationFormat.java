package io.tailrace.offline.bulk;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import io.tailrace.bus.BusMessage;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.Notification.Folder;
import io.tailrace.offline.bulk.Notification.Origin;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationSchema;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.ColumnMapping;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.FeatureColumn;
import io.tailrace.v1.FilePrefix;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads and writes notifications: a {@link BulkUpload}, as JSON or as protobuf, on the bus or in
 * the footer of a file. Stateless and thread-safe.
 */
public final class NotificationFormat {
  /** The key in a file's footer under which it says what it holds. */
  public static final String FOOTER_KEY = "tailrace.bulk_upload";

  private NotificationFormat() {}

  /**
   * Reads a message.
   *
   * @throws InvalidMessageException naming the first field that breaks a rule
   */
  public static Notification decode(BusMessage message) throws InvalidMessageException {
    try {
      return read(message);
    } catch (RuntimeException e) {
      // Whatever it is, it would come again with the message.
      throw new InvalidMessageException(
          Reason.UNDECODABLE, "", "the message can't be read: " + e.getMessage());
    }
  }

  private static Notification read(BusMessage message) throws InvalidMessageException {
    if (ObservationFile.isParquet(message.payload())) {
      return new Notification(List.of(), Optional.empty(), Optional.empty(), Origin.ROWS, message);
    }
    Optional<List<String>> created = CloudEvents.created(message);
    if (created.isPresent()) {
      return new Notification(
          created.get(), Optional.empty(), Optional.empty(), Origin.CLOUD, message);
    }
    BulkUpload upload = parse(message.payload());
    Set<String> known = new HashSet<>();
    for (int i = 0; i < upload.getFilesCount(); i++) {
      String place = "files[" + i + "]";
      checkName(upload.getFiles(i), place);
      if (!known.add(upload.getFiles(i))) {
        throw invalid(place, "the file " + upload.getFiles(i) + " is named twice");
      }
    }
    Optional<Folder> folder =
        upload.hasPrefix() ? Optional.of(folder(upload.getPrefix())) : Optional.empty();
    if (folder.isPresent() == !known.isEmpty()) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          "files",
          folder.isPresent()
              ? "the message has files and a prefix: name the files, or their folder"
              : "the message names no files: fill files, or prefix");
    }
    return new Notification(
        upload.getFilesList(), folder, contents(upload), Origin.WRITER, message);
  }

  /**
   * Reads what the footer of a file says.
   *
   * @throws InvalidMessageException naming the first field that breaks a rule
   */
  public static Contents ofFooter(Map<String, String> texts) throws InvalidMessageException {
    String text = texts.get(FOOTER_KEY);
    if (text == null) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          "mapping",
          "neither the message says what the columns are, nor the file's footer under the key "
              + FOOTER_KEY);
    }
    try {
      return contents(parse(text.getBytes(StandardCharsets.UTF_8)))
          .orElseThrow(
              () ->
                  new InvalidMessageException(Reason.MISSING_FIELD, "mapping", "it says nothing"));
    } catch (InvalidMessageException e) {
      throw new InvalidMessageException(
          e.reason(), e.field(), "the footer's " + FOOTER_KEY + ": " + e.getMessage());
    }
  }

  /**
   * Reads what a message says of files that it does not name.
   *
   * @throws InvalidMessageException naming the first field that breaks a rule
   */
  public static Contents contents(byte[] message) throws InvalidMessageException {
    return contents(parse(message))
        .orElseThrow(
            () ->
                new InvalidMessageException(
                    Reason.MISSING_FIELD, "mapping", "it does not say what the columns are"));
  }

  /** Returns the JSON of a message, on one line. */
  public static String json(BulkUpload upload) {
    try {
      return JsonFormat.printer().omittingInsignificantWhitespace().print(upload);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("every message is JSON", e);
    }
  }

  private static BulkUpload parse(byte[] payload) throws InvalidMessageException {
    try {
      if (!mayBeJson(payload)) {
        return BulkUpload.parseFrom(payload);
      }
      Optional<BulkUpload> protobuf =
          CloudEvents.isJson(payload) ? Optional.empty() : protobuf(payload);
      if (protobuf.isPresent()) {
        return protobuf.get();
      }
      BulkUpload.Builder upload = BulkUpload.newBuilder();
      JsonFormat.parser().merge(new String(payload, StandardCharsets.UTF_8), upload);
      return upload.build();
    } catch (InvalidProtocolBufferException | RuntimeException e) {
      throw new InvalidMessageException(
          Reason.UNDECODABLE,
          "",
          "the message is no BulkUpload, neither as JSON nor as protobuf: " + e.getMessage());
    }
  }

  /**
   * So may a protobuf begin, too: its first field's tag is a line feed, and its length anything.
   */
  private static boolean mayBeJson(byte[] payload) {
    for (byte each : payload) {
      if (each != ' ' && each != '\n' && each != '\r' && each != '\t') {
        return each == '{';
      }
    }
    return false;
  }

  /** Returns a message of nothing but what is known here; empty: it may be anything. */
  private static Optional<BulkUpload> protobuf(byte[] payload) {
    try {
      return Optional.of(BulkUpload.parseFrom(payload))
          .filter(upload -> upload.getUnknownFields().asMap().isEmpty());
    } catch (InvalidProtocolBufferException e) {
      return Optional.empty();
    }
  }

  private static Folder folder(FilePrefix prefix) throws InvalidMessageException {
    String uri = prefix.getUri();
    checkName(uri, "prefix.uri");
    if (!uri.endsWith("/")) {
      throw invalid("prefix.uri", "'" + uri + "' does not end with a slash: '" + uri + "/'");
    }
    boolean hasManifest = !prefix.getManifest().isEmpty();
    if (hasManifest == (prefix.getCount() != 0)) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          "prefix.count",
          hasManifest
              ? "the prefix has a count and a manifest: one of both says which files there are"
              : "a prefix needs a count or a manifest, or nobody knows whether all files are"
                  + " there");
    }
    if (prefix.getCount() < 0) {
      throw invalid("prefix.count", "a folder of so many files can't be listed");
    }
    if (hasManifest) {
      checkName(prefix.getManifest(), "prefix.manifest");
    }
    return new Folder(uri, prefix.getCount(), prefix.getManifest());
  }

  private static void checkName(String uri, String place) throws InvalidMessageException {
    Optional<String> whyNot = BucketAddress.whyNoFile(uri);
    if (whyNot.isPresent()) {
      throw invalid(place, whyNot.get());
    }
  }

  private static Optional<Contents> contents(BulkUpload upload) throws InvalidMessageException {
    if (!upload.hasMapping()
        && upload.getOperationId().isEmpty()
        && upload.getEnvironmentId().isEmpty()) {
      return Optional.empty();
    }
    require(upload.getOperationId(), "operation_id");
    require(upload.getEnvironmentId(), "environment_id");
    if (!upload.hasMapping()) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD, "mapping", "the message does not say what the columns are");
    }
    return Optional.of(
        new Contents(
            upload.getOperationId(),
            upload.getEnvironmentId(),
            upload.getDeploymentId(),
            mapping(upload.getMapping())));
  }

  private static void require(String text, String field) throws InvalidMessageException {
    if (text.isEmpty()) {
      throw new InvalidMessageException(Reason.MISSING_FIELD, field, field + " is missing");
    }
    if (text.indexOf('\0') >= 0) {
      throw invalid(field, field + " has a NUL");
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
      throw invalid(field, field + " has half a character, which is none: \\ud800 to \\udfff");
    }
  }

  private static WideMapping mapping(ColumnMapping mapping) throws InvalidMessageException {
    require(mapping.getPrimaryKeyColumn(), "mapping.primary_key_column");
    boolean hasColumn = !mapping.getObservedAtColumn().isEmpty();
    if (hasColumn == (mapping.getObservedAt() != 0)) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          "mapping.observed_at_column",
          hasColumn
              ? "the mapping has a column of times and one time for all rows: one of both is right"
              : "the mapping says no time: fill observed_at_column, or observed_at");
    }
    if (!hasColumn && !ObservationSchema.isTime(mapping.getObservedAt())) {
      throw invalid(
          "mapping.observed_at",
          mapping.getObservedAt()
              + " lies outside of the years 1 to 9999: it is in microseconds since 1970");
    }
    if (mapping.getFeaturesCount() == 0) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD, "mapping.features", "the mapping has no features");
    }
    List<WideMapping.FeatureColumn> features = new ArrayList<>();
    Map<String, String> known = new HashMap<>();
    for (int i = 0; i < mapping.getFeaturesCount(); i++) {
      String place = "mapping.features[" + i + "]";
      WideMapping.FeatureColumn feature = feature(mapping.getFeatures(i), place);
      String other = known.put(feature.namespace() + "\0" + feature.feature(), feature.column());
      if (other != null) {
        throw invalid(
            place,
            "the feature "
                + feature.feature()
                + " has two columns, '"
                + other
                + "' and '"
                + feature.column()
                + "'");
      }
      features.add(feature);
    }
    return new WideMapping(
        mapping.getPrimaryKeyColumn(),
        new Time(mapping.getObservedAtColumn(), mapping.getObservedAt()),
        features);
  }

  private static WideMapping.FeatureColumn feature(FeatureColumn feature, String place)
      throws InvalidMessageException {
    String name = feature.getFeature();
    require(name, place + ".feature");
    String namespace = feature.getNamespace();
    if (namespace.isEmpty()) {
      int dot = name.lastIndexOf('.');
      if (name.indexOf('.') < dot) {
        throw invalid(
            place + ".feature",
            "'" + name + "' has more than one dot: say with namespace which of them ends it");
      }
      namespace = name.substring(0, Math.max(0, dot));
    }
    String whyNot = ObservationSchema.whyNoFeature(namespace, name);
    if (!whyNot.isEmpty()) {
      throw invalid(place + ".feature", "the field " + whyNot);
    }
    if (!ValueType.isKnown(feature.getTypeValue())) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          place + ".type",
          "the feature "
              + name
              + " has no type that this version knows ("
              + feature.getTypeValue()
              + "): one of INT64, FLOAT64, BOOL, STRING, BYTES, TIMESTAMP, DATE, VECTOR, JSON");
    }
    if (feature.getNulls() == FeatureColumn.Nulls.UNRECOGNIZED) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          place + ".nulls",
          "what nulls of " + name + " stand for is not known: NOT_COMPUTED or COMPUTED");
    }
    return new WideMapping.FeatureColumn(
        namespace,
        name,
        feature.getColumn().isEmpty()
            ? name.substring(namespace.length() + 1)
            : feature.getColumn(),
        new Kind(
            ValueType.ofCode(feature.getTypeValue()),
            feature.getNulls() == FeatureColumn.Nulls.COMPUTED
                ? Nulls.COMPUTED
                : Nulls.NOT_COMPUTED),
        feature.getResolverFqn());
  }

  private static InvalidMessageException invalid(String field, String message) {
    return new InvalidMessageException(Reason.INVALID_VALUE, field, message);
  }
}

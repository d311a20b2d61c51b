package io.tailrace.result;

import io.tailrace.bus.BusMessage;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.QueryResult;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads the bytes of a {@code tailrace.v1.QueryResult} into a {@link Result}, and refuses what
 * breaks the contract. Agrees with protobuf's own parser on every message that both accept; it
 * exists because that one costs an object for each string and a copy of each array, on every
 * message.
 *
 * <p>Two things make it fast. Values stay where they are: a column knows their positions. And what
 * a column says of its feature is recognised, not parsed again ({@link ColumnHeads}).
 *
 * <p>Not thread-safe: it remembers columns. What it returns is immutable and shares nothing that
 * changes.
 */
public final class ResultDecoder {
  /** 0001-01-01T00:00:00Z, the earliest time that every store can hold. */
  public static final long MIN_TIME = -62_135_596_800_000_000L;

  /** 9999-12-31T23:59:59.999999Z, the latest time that every store can hold. */
  public static final long MAX_TIME = 253_402_300_799_999_999L;

  /** Keys and schemas are named after it. */
  private static final int MAX_ENVIRONMENT_BYTES = 1_000;

  private static final int OPERATION = 2 * HeadTexts.place(QueryResult.OPERATION_ID_FIELD_NUMBER);
  private static final int ENVIRONMENT =
      2 * HeadTexts.place(QueryResult.ENVIRONMENT_ID_FIELD_NUMBER);

  /** So that it is a column's value anywhere. */
  private static final int MAX_PUBLISHER_BYTES = 200;

  private static final byte[] NO_BYTES = {};

  private final ColumnDecoder columns = new ColumnDecoder();
  private String lastEnvironment = "";
  private byte[] lastEnvironmentBytes = NO_BYTES;
  private String lastNamespace = "";
  private byte[] lastNamespaceBytes = NO_BYTES;

  /**
   * Decodes a message.
   *
   * @throws InvalidMessageException if the bytes are not a {@code QueryResult} or break a rule of
   *     it, so that the message can never be decoded; or if it takes too much of this process
   */
  public Result decode(BusMessage message) throws InvalidMessageException {
    DecodedSize.check(message.payload());
    try {
      return decodeMessage(message);
    } catch (MalformedException e) {
      throw new InvalidMessageException(Reason.UNDECODABLE, "", String.valueOf(e.getMessage()));
    }
  }

  private Result decodeMessage(BusMessage message)
      throws MalformedException, InvalidMessageException {
    WireCursor in = new WireCursor(message.payload());
    Result.Head head = new Result.Head();
    List<Frame> frames = new ArrayList<>(2);
    List<Deletion> deletions = List.of();
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 4 << 3 | WireCursor.VARINT -> head.operationKind = (int) in.readVarint();
        case 13 << 3 | WireCursor.FIXED64 -> head.queryTimestamp = in.readFixed64();
        case 14 << 3 | WireCursor.FIXED64 -> head.executionStartedAt = in.readFixed64();
        case 15 << 3 | WireCursor.FIXED64 -> head.executionFinishedAt = in.readFixed64();
        case 16 << 3 | WireCursor.VARINT -> head.status = (int) in.readVarint();
        case 17 << 3 | WireCursor.LENGTH_DELIMITED -> {
          checkError(in, in.readLength(), head.errors);
          head.errors++;
        }
        case 18 << 3 | WireCursor.LENGTH_DELIMITED -> frames.add(frame(in, frames.size()));
        case 19 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (deletions.isEmpty()) {
            deletions = new ArrayList<>(2);
          }
          deletions.add(deletion(in, deletions.size()));
        }
        case 20 << 3 | WireCursor.VARINT -> head.part = (int) in.readVarint();
        case 21 << 3 | WireCursor.VARINT -> head.parts = (int) in.readVarint();
        case 22 << 3 | WireCursor.LENGTH_DELIMITED -> {
          int length = in.readLength();
          ResultRules.checkUtf8(in, length, "", "publisher_id");
          head.publisherStart = in.position;
          head.publisherEnd = in.position + length;
          in.position += length;
        }
        case 23 << 3 | WireCursor.VARINT -> head.sequence = in.readVarint();
        default -> {
          int text = (tag & 7) == WireCursor.LENGTH_DELIMITED ? HeadTexts.place(tag >>> 3) : -1;
          if (text < 0) {
            in.skip(tag);
            continue;
          }
          int length = in.readLength();
          head.texts[2 * text] = in.position;
          head.texts[2 * text + 1] = in.position + length;
          ResultRules.checkUtf8(in, length, "", HeadTexts.name(text));
          in.position += length;
        }
      }
    }
    if (head.texts[OPERATION] == head.texts[OPERATION + 1]) {
      throw ResultRules.missing("operation_id", "a result needs the id of its execution");
    }
    int environmentStart = head.texts[ENVIRONMENT];
    int environmentEnd = head.texts[ENVIRONMENT + 1];
    if (environmentStart == environmentEnd) {
      throw ResultRules.missing(
          "environment_id", "a result needs the environment that it belongs to");
    }
    checkEnvironment(message.payload(), environmentStart, environmentEnd);
    if (head.publisherEnd - head.publisherStart > MAX_PUBLISHER_BYTES) {
      throw ResultRules.invalid(
          "publisher_id",
          "the publisher's id has "
              + (head.publisherEnd - head.publisherStart)
              + " bytes, more than "
              + MAX_PUBLISHER_BYTES);
    }
    if (head.queryTimestamp == 0) {
      throw ResultRules.missing(
          "query_timestamp", "a result needs the time at which its query was asked");
    }
    ResultRules.checkTime(head.queryTimestamp, "query_timestamp");
    ResultRules.checkTime(head.executionStartedAt, "execution_started_at");
    ResultRules.checkTime(head.executionFinishedAt, "execution_finished_at");
    if (head.parts < 0 || head.part < 0 || head.part >= Math.max(1, head.parts)) {
      throw ResultRules.invalid(
          "part",
          "part "
              + Integer.toUnsignedString(head.part)
              + " of "
              + Integer.toUnsignedString(head.parts)
              + ": parts are counted from 0");
    }
    return new Result(
        message,
        environment(message.payload(), environmentStart, environmentEnd),
        head,
        frames,
        deletions);
  }

  /** Refuses what no store can name anything after. */
  private static void checkEnvironment(byte[] bytes, int start, int end)
      throws InvalidMessageException {
    if (end - start > MAX_ENVIRONMENT_BYTES) {
      throw ResultRules.invalid(
          "environment_id",
          "the environment's id has "
              + (end - start)
              + " bytes, more than "
              + MAX_ENVIRONMENT_BYTES);
    }
    for (int i = start; i < end; i++) {
      if (bytes[i] == 0) {
        throw ResultRules.invalid("environment_id", "the environment's id may not hold a NUL");
      }
    }
  }

  private static void checkError(WireCursor in, int length, int index)
      throws MalformedException, InvalidMessageException {
    int outer = in.limit;
    in.limit = in.position + length;
    while (!in.atEnd()) {
      int tag = in.readTag();
      if ((tag & 7) == WireCursor.LENGTH_DELIMITED && tag >>> 3 <= 4) {
        int text = in.readLength();
        ResultRules.checkUtf8(in, text, "errors[" + index + "].", ERROR_FIELDS[tag >>> 3]);
        in.position += text;
      } else {
        in.skip(tag);
      }
    }
    in.limit = outer;
  }

  private static final String[] ERROR_FIELDS = {"", "code", "message", "feature", "resolver"};

  private String environment(byte[] bytes, int start, int end) {
    if (!Arrays.equals(bytes, start, end, lastEnvironmentBytes, 0, lastEnvironmentBytes.length)) {
      lastEnvironmentBytes = Arrays.copyOfRange(bytes, start, end);
      lastEnvironment = new String(lastEnvironmentBytes, StandardCharsets.UTF_8);
    }
    return lastEnvironment;
  }

  private String namespace(WireCursor in, int length, String path) throws InvalidMessageException {
    int start = in.position;
    int end = start + length;
    if (!Arrays.equals(in.bytes, start, end, lastNamespaceBytes, 0, lastNamespaceBytes.length)) {
      ResultRules.checkUtf8(in, length, path, "namespace");
      lastNamespaceBytes = Arrays.copyOfRange(in.bytes, start, end);
      lastNamespace = new String(lastNamespaceBytes, StandardCharsets.UTF_8);
    }
    in.position = end;
    return lastNamespace;
  }

  private Frame frame(WireCursor in, int index) throws MalformedException, InvalidMessageException {
    int outer = in.enter();
    int start = in.position;
    String path = "frames[" + index + "].";
    String namespace = "";
    KeyRun keys = new KeyRun(path);
    int count = 0;
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 1 << 3 | WireCursor.LENGTH_DELIMITED ->
            namespace = namespace(in, in.readLength(), path);
        case 2 << 3 | WireCursor.LENGTH_DELIMITED -> keys.string(in);
        case 3 << 3 | WireCursor.LENGTH_DELIMITED -> keys.packed(in);
        case 3 << 3 | WireCursor.VARINT -> keys.integer(in.readVarint());
        case ColumnDecoder.COLUMN -> {
          count++;
          int length = in.readLength();
          in.position += length;
        }
        default -> in.skip(tag);
      }
    }
    if (namespace.isEmpty()) {
      throw ResultRules.missing(path + "namespace", "a frame needs the namespace of its features");
    }
    PrimaryKeys primaryKeys = keys.build(in.bytes);
    // Columns are read once keys and namespace are known, wherever these stand in the frame.
    in.position = start;
    Column[] decoded = columns.frame(index, primaryKeys.count()).decode(in, namespace, count);
    in.position = in.limit;
    in.limit = outer;
    return new Frame(namespace, primaryKeys, List.of(decoded));
  }

  private Deletion deletion(WireCursor in, int index)
      throws MalformedException, InvalidMessageException {
    int outer = in.enter();
    String path = "deletions[" + index + "].";
    String namespace = "";
    KeyRun keys = new KeyRun(path);
    List<String> features = new ArrayList<>();
    long observedAt = 0;
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 1 << 3 | WireCursor.LENGTH_DELIMITED ->
            namespace = ResultRules.text(in, path, "namespace");
        case 2 << 3 | WireCursor.LENGTH_DELIMITED -> keys.string(in);
        case 3 << 3 | WireCursor.LENGTH_DELIMITED -> keys.packed(in);
        case 3 << 3 | WireCursor.VARINT -> keys.integer(in.readVarint());
        case 4 << 3 | WireCursor.LENGTH_DELIMITED ->
            features.add(ResultRules.text(in, path, "features[" + features.size() + "]"));
        case 5 << 3 | WireCursor.FIXED64 -> observedAt = in.readFixed64();
        default -> in.skip(tag);
      }
    }
    in.limit = outer;
    if (namespace.isEmpty()) {
      throw ResultRules.missing(
          path + "namespace", "a deletion needs the namespace of its entities");
    }
    PrimaryKeys primaryKeys = keys.build(in.bytes);
    if (primaryKeys.count() == 0) {
      throw ResultRules.missing(path + "string_keys", "a deletion needs the keys of its entities");
    }
    if (observedAt == 0) {
      throw ResultRules.missing(
          path + "observed_at", "a deletion needs the time from which on it holds");
    }
    ResultRules.checkTime(observedAt, path + "observed_at");
    ResultRules.checkName(path + "namespace", namespace, namespace);
    List<String> names = new ArrayList<>(features.size());
    for (int i = 0; i < features.size(); i++) {
      String feature = features.get(i);
      String field = path + "features[" + i + "]";
      if (!feature.startsWith(namespace + ".") || feature.length() < namespace.length() + 2) {
        throw ResultRules.invalid(
            field,
            "'" + feature + "' is not in the namespace; expected '" + namespace + ".<name>'");
      }
      ResultRules.checkName(field, namespace, feature);
      names.add(feature.substring(namespace.length() + 1));
    }
    return new Deletion(namespace, primaryKeys, List.copyOf(names), observedAt);
  }
}

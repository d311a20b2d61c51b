package io.tailrace.result;

import com.google.common.base.Utf8;
import io.tailrace.bus.BusMessage;
import io.tailrace.result.ColumnSpec.NullHandling;
import io.tailrace.result.ColumnSpec.Origin;
import io.tailrace.result.WireCursor.MalformedException;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Reads the bytes of a {@code tailrace.v1.QueryResult} into a {@link Result}, and refuses what
 * breaks the contract. Agrees with protobuf's own parser on every message that both accept; it
 * exists because that one costs an object for each string and a copy of each array, on every
 * message.
 *
 * <p>Two things make it fast. Values stay where they are: a column knows their positions. And what
 * a column says of its feature is the same in every result of a query, so it is recognised by
 * comparing its bytes with those that followed the same column last time, and not parsed again.
 *
 * <p>Not thread-safe: it remembers columns. What it returns is immutable and shares nothing that
 * changes.
 */
public final class ResultDecoder {
  /** 0001-01-01T00:00:00Z, the earliest time that every store can hold. */
  public static final long MIN_TIME = -62_135_596_800_000_000L;

  /** 9999-12-31T23:59:59.999999Z, the latest time that every store can hold. */
  public static final long MAX_TIME = 253_402_300_799_999_999L;

  /**
   * Columns that are remembered, about 300 bytes each; a feature store has fewer live features a
   * worker.
   */
  private static final int MAX_REMEMBERED = 20_000;

  /** The last field of a column that belongs to its {@link ColumnSpec}; values come behind it. */
  private static final int LAST_HEAD_FIELD = 8;

  private static final int FIRST_VALUE_FIELD = 11;
  private static final String[] VALUE_FIELD_NAMES = {
    "int64_values",
    "float64_values",
    "bool_values",
    "string_values",
    "bytes_values",
    "timestamp_values",
    "date_values",
    "vector_values",
    "vector_dimension",
    "json_values"
  };

  /** The field that holds the values of a type, by the type's code. */
  private static final int[] VALUE_FIELDS = {0, 11, 12, 13, 14, 15, 16, 17, 18, 20};

  private static final Origin[] ORIGINS = Origin.values();

  /** Keys and schemas are named after it. */
  private static final int MAX_ENVIRONMENT_BYTES = 1_000;

  private static final NullHandling[] NULL_HANDLINGS = {
    NullHandling.WRITE, NullHandling.WRITE, NullHandling.SKIP, NullHandling.EVICT
  };

  private static final byte[] NO_BYTES = {};
  private static final long[] NO_NUMBERS = {};
  private static final int[] NO_BOUNDS = {};

  /** A remembered column head: its bytes, what they mean, and what followed it last time. */
  private static final class Remembered {
    final byte[] head;
    final ColumnSpec spec;
    // Fields of the head stand between or behind the values: there are no bytes to recognise it by.
    final boolean scattered;
    @Nullable Remembered next;

    Remembered(byte[] head, ColumnSpec spec, boolean scattered) {
      this.head = head;
      this.spec = spec;
      this.scattered = scattered;
    }
  }

  private record HeadKey(byte[] bytes, String namespace) {
    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof HeadKey that
          && namespace.equals(that.namespace)
          && Arrays.equals(bytes, that.bytes);
    }

    @Override
    public int hashCode() {
      return 31 * namespace.hashCode() + Arrays.hashCode(bytes);
    }
  }

  private final Map<HeadKey, Remembered> remembered = new HashMap<>();
  private final Map<String, Remembered> firsts = new HashMap<>();
  private String lastEnvironment = "";
  private byte[] lastEnvironmentBytes = NO_BYTES;
  private String lastNamespace = "";
  private byte[] lastNamespaceBytes = NO_BYTES;

  /**
   * Decodes a message.
   *
   * @throws InvalidMessageException if the bytes are not a {@code QueryResult} or break a rule of
   *     it; the message can never be decoded
   */
  public Result decode(BusMessage message) throws InvalidMessageException {
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
        case 1 << 3 | WireCursor.LENGTH_DELIMITED,
            2 << 3 | WireCursor.LENGTH_DELIMITED,
            3 << 3 | WireCursor.LENGTH_DELIMITED,
            5 << 3 | WireCursor.LENGTH_DELIMITED,
            6 << 3 | WireCursor.LENGTH_DELIMITED,
            7 << 3 | WireCursor.LENGTH_DELIMITED,
            8 << 3 | WireCursor.LENGTH_DELIMITED,
            9 << 3 | WireCursor.LENGTH_DELIMITED,
            10 << 3 | WireCursor.LENGTH_DELIMITED,
            11 << 3 | WireCursor.LENGTH_DELIMITED,
            12 << 3 | WireCursor.LENGTH_DELIMITED -> {
          int length = in.readLength();
          int field = tag >>> 3;
          head.texts[2 * field] = in.position;
          head.texts[2 * field + 1] = in.position + length;
          checkUtf8(in, length, "", HEAD_FIELDS[field]);
          in.position += length;
        }
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
        default -> in.skip(tag);
      }
    }
    if (head.texts[2] == head.texts[3]) {
      throw missing("operation_id", "a result needs the id of its execution");
    }
    if (head.texts[4] == head.texts[5]) {
      throw missing("environment_id", "a result needs the environment that it belongs to");
    }
    checkEnvironment(message.payload(), head.texts[4], head.texts[5]);
    if (head.queryTimestamp == 0) {
      throw missing("query_timestamp", "a result needs the time at which its query was asked");
    }
    checkTime(head.queryTimestamp, "query_timestamp");
    checkTime(head.executionStartedAt, "execution_started_at");
    checkTime(head.executionFinishedAt, "execution_finished_at");
    if (head.parts < 0 || head.part < 0 || head.part >= Math.max(1, head.parts)) {
      throw invalid(
          "part",
          "part "
              + Integer.toUnsignedString(head.part)
              + " of "
              + Integer.toUnsignedString(head.parts)
              + ": parts are counted from 0");
    }
    return new Result(
        message,
        environment(message.payload(), head.texts[4], head.texts[5]),
        head,
        frames,
        deletions);
  }

  /** Refuses what no store can name anything after. */
  private static void checkEnvironment(byte[] bytes, int start, int end)
      throws InvalidMessageException {
    if (end - start > MAX_ENVIRONMENT_BYTES) {
      throw invalid(
          "environment_id",
          "the environment's id has "
              + (end - start)
              + " bytes, more than "
              + MAX_ENVIRONMENT_BYTES);
    }
    for (int i = start; i < end; i++) {
      if (bytes[i] == 0) {
        throw invalid("environment_id", "the environment's id may not hold a NUL");
      }
    }
  }

  private static final String[] HEAD_FIELDS = {
    "",
    "operation_id",
    "environment_id",
    "deployment_id",
    "operation_kind",
    "query_name",
    "query_name_version",
    "branch_name",
    "correlation_id",
    "trace_id",
    "agent_id",
    "query_plan_id",
    "meta_query_hash"
  };

  private static void checkError(WireCursor in, int length, int index)
      throws MalformedException, InvalidMessageException {
    int outer = in.limit;
    in.limit = in.position + length;
    while (!in.atEnd()) {
      int tag = in.readTag();
      if ((tag & 7) == WireCursor.LENGTH_DELIMITED && tag >>> 3 <= 4) {
        int text = in.readLength();
        checkUtf8(in, text, "errors[" + index + "].", ERROR_FIELDS[tag >>> 3]);
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
      checkUtf8(in, length, path, "namespace");
      lastNamespaceBytes = Arrays.copyOfRange(in.bytes, start, end);
      lastNamespace = new String(lastNamespaceBytes, StandardCharsets.UTF_8);
    }
    in.position = end;
    return lastNamespace;
  }

  /** Gathers the keys of a frame or deletion; fields are the same in both. */
  private static final class Keys {
    final String path;
    int[] bounds = NO_BOUNDS;
    int strings;
    long[] numbers = NO_NUMBERS;
    int integers;

    Keys(String path) {
      this.path = path;
    }

    void string(WireCursor in) throws MalformedException, InvalidMessageException {
      int length = in.readLength();
      checkUtf8(in, length, path, "string_keys");
      if (2 * strings == bounds.length) {
        bounds = Arrays.copyOf(bounds, Math.max(2, 2 * bounds.length));
      }
      bounds[2 * strings] = in.position;
      bounds[2 * strings + 1] = in.position + length;
      strings++;
      in.position += length;
    }

    void integer(long value) {
      if (integers == numbers.length) {
        numbers = Arrays.copyOf(numbers, Math.max(1, 2 * numbers.length));
      }
      numbers[integers++] = WireCursor.zigZag(value);
    }

    void packed(WireCursor in) throws MalformedException {
      int outer = enter(in);
      while (!in.atEnd()) {
        integer(in.readVarint());
      }
      in.limit = outer;
    }

    PrimaryKeys build(byte[] payload) throws InvalidMessageException {
      if (strings > 0 && integers > 0) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE,
            path + "string_keys",
            strings
                + " string keys and "
                + integers
                + " integer keys: a namespace has one type of key");
      }
      return new PrimaryKeys(payload, bounds, numbers, strings > 0, Math.max(strings, integers));
    }
  }

  private static int enter(WireCursor in) throws MalformedException {
    int length = in.readLength();
    int outer = in.limit;
    in.limit = in.position + length;
    return outer;
  }

  private Frame frame(WireCursor in, int index) throws MalformedException, InvalidMessageException {
    int outer = enter(in);
    int start = in.position;
    String path = "frames[" + index + "].";
    String namespace = "";
    Keys keys = new Keys(path);
    int columns = 0;
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 1 << 3 | WireCursor.LENGTH_DELIMITED ->
            namespace = namespace(in, in.readLength(), path);
        case 2 << 3 | WireCursor.LENGTH_DELIMITED -> keys.string(in);
        case 3 << 3 | WireCursor.LENGTH_DELIMITED -> keys.packed(in);
        case 3 << 3 | WireCursor.VARINT -> keys.integer(in.readVarint());
        case 4 << 3 | WireCursor.LENGTH_DELIMITED -> {
          columns++;
          int length = in.readLength();
          in.position += length;
        }
        default -> in.skip(tag);
      }
    }
    if (namespace.isEmpty()) {
      throw missing(path + "namespace", "a frame needs the namespace of its features");
    }
    PrimaryKeys primaryKeys = keys.build(in.bytes);
    Column[] decoded = new Column[columns];
    // Columns are read once keys and namespace are known, wherever these stand in the frame.
    in.position = start;
    @Nullable Remembered previous = null;
    for (int c = 0; c < columns; ) {
      int tag = in.readTag();
      if (tag == (4 << 3 | WireCursor.LENGTH_DELIMITED)) {
        previous = column(in, previous, namespace, primaryKeys.count(), index, c, decoded);
        c++;
      } else {
        in.skip(tag);
      }
    }
    in.position = in.limit;
    in.limit = outer;
    return new Frame(namespace, primaryKeys, List.of(decoded));
  }

  /** Decodes one column into {@code decoded[index]} and returns its remembered head. */
  private Remembered column(
      WireCursor in,
      @Nullable Remembered previous,
      String namespace,
      int rows,
      int frame,
      int index,
      Column[] decoded)
      throws MalformedException, InvalidMessageException {
    int outer = enter(in);
    int start = in.position;
    Remembered head = recognise(in, previous, namespace);
    if (head == null || !readValues(in, head.scattered)) {
      in.position = start;
      head = parseHead(in, namespace, frame, index);
      if (!head.scattered) {
        if (previous != null) {
          previous.next = head;
        } else {
          firsts.put(namespace, head);
        }
      }
      readValues(in, head.scattered);
    }
    decoded[index] = buildColumn(in.bytes, head.spec, rows, frame, index);
    in.limit = outer;
    return head;
  }

  /** Returns the head that was expected here if its bytes are here, and moves behind it. */
  private @Nullable Remembered recognise(
      WireCursor in, @Nullable Remembered previous, String namespace) {
    Remembered expected = previous != null ? previous.next : firsts.get(namespace);
    if (expected == null) {
      return null;
    }
    int start = in.position;
    int end = start + expected.head.length;
    if (end < in.limit
        && Arrays.equals(in.bytes, start, end, expected.head, 0, expected.head.length)
        && startsValue(in.bytes[end], end + 1 < in.limit ? in.bytes[end + 1] : 0)) {
      in.position = end;
      return expected;
    }
    return null;
  }

  /** Whether a tag that begins with these bytes belongs to a field behind the column's head. */
  private static boolean startsValue(byte first, byte second) {
    return first < 0 ? second > 0 : first >>> 3 > LAST_HEAD_FIELD;
  }

  /** Reads the head, wherever its fields stand, and moves to the first value. */
  private Remembered parseHead(WireCursor in, String namespace, int frame, int index)
      throws MalformedException, InvalidMessageException {
    String path = "frames[" + frame + "].columns[" + index + "].";
    int start = in.position;
    String feature = "";
    String resolver = "";
    long type = 0;
    long origin = 0;
    long maxStaleness = 0;
    long cacheNulls = 0;
    boolean skipOnline = false;
    boolean skipOffline = false;
    int headEnd = -1;
    boolean scattered = false;
    while (!in.atEnd()) {
      int before = in.position;
      int tag = in.readTag();
      if (tag >>> 3 > LAST_HEAD_FIELD) {
        headEnd = headEnd < 0 ? before : headEnd;
        in.skip(tag);
        continue;
      }
      scattered |= headEnd >= 0;
      switch (tag) {
        case 1 << 3 | WireCursor.LENGTH_DELIMITED -> feature = text(in, path, "feature");
        case 2 << 3 | WireCursor.VARINT -> type = (int) in.readVarint();
        case 3 << 3 | WireCursor.LENGTH_DELIMITED -> resolver = text(in, path, "resolver_fqn");
        case 4 << 3 | WireCursor.VARINT -> origin = (int) in.readVarint();
        case 5 << 3 | WireCursor.VARINT -> maxStaleness = in.readVarint();
        case 6 << 3 | WireCursor.VARINT -> skipOnline = in.readVarint() != 0;
        case 7 << 3 | WireCursor.VARINT -> skipOffline = in.readVarint() != 0;
        case 8 << 3 | WireCursor.VARINT -> cacheNulls = (int) in.readVarint();
        default -> in.skip(tag);
      }
    }
    headEnd = headEnd < 0 ? in.limit : headEnd;
    in.position = headEnd;
    byte[] bytes = scattered ? NO_BYTES : Arrays.copyOfRange(in.bytes, start, headEnd);
    HeadKey key = new HeadKey(bytes, namespace);
    Remembered known = scattered ? null : remembered.get(key);
    if (known != null) {
      return known;
    }
    if (feature.isEmpty()) {
      throw missing(path + "feature", "a column needs the name of its feature");
    }
    if (!feature.startsWith(namespace)
        || feature.length() < namespace.length() + 2
        || feature.charAt(namespace.length()) != '.') {
      throw invalid(
          path + "feature",
          "'" + feature + "' is not in the frame's namespace; expected '" + namespace + ".<name>'");
    }
    checkName(path + "feature", namespace, feature);
    if (!ValueType.isKnown(type)) {
      throw unknown(
          path + "type", feature, type == 0 ? "has no type" : "has the unknown type " + type);
    }
    if (origin < 0 || origin >= ORIGINS.length) {
      throw unknown(path + "origin", feature, "has the unknown origin " + origin);
    }
    if (cacheNulls < 0 || cacheNulls >= NULL_HANDLINGS.length) {
      throw unknown(path + "cache_nulls", feature, "has the unknown null handling " + cacheNulls);
    }
    if (maxStaleness < 0) {
      throw invalid(
          path + "max_staleness",
          "'" + feature + "' has a max_staleness of " + maxStaleness + " microseconds, below zero");
    }
    ColumnSpec spec =
        new ColumnSpec(
            feature,
            feature.substring(namespace.length() + 1),
            ValueType.ofCode(type),
            resolver,
            ORIGINS[(int) origin],
            maxStaleness,
            skipOnline,
            skipOffline,
            NULL_HANDLINGS[(int) cacheNulls]);
    Remembered fresh = new Remembered(bytes, spec, scattered);
    if (!scattered) {
      if (remembered.size() >= MAX_REMEMBERED) {
        remembered.clear();
        firsts.clear();
      }
      remembered.put(key, fresh);
    }
    return fresh;
  }

  private static String text(WireCursor in, String path, String field)
      throws MalformedException, InvalidMessageException {
    int length = in.readLength();
    checkUtf8(in, length, path, field);
    String text = new String(in.bytes, in.position, length, StandardCharsets.UTF_8);
    in.position += length;
    return text;
  }

  // What the values of one column are, between readValues and buildColumn.
  private final FixedRun times = new FixedRun();
  private final FixedRun fixed = new FixedRun();
  private final Varints varints = new Varints();
  private final Slices slices = new Slices();
  private int nullStart;
  private int nullLength;
  private int dimension;
  // Bit n: the field with number n has values.
  private int present;

  /**
   * Reads the values of a column from where the cursor stands to its limit.
   *
   * @return false if a field of the head was met that may not be there, so that the head must be
   *     parsed
   */
  private boolean readValues(WireCursor in, boolean headFieldsAllowed) throws MalformedException {
    times.clear();
    fixed.clear();
    varints.clear();
    slices.clear();
    nullStart = 0;
    nullLength = 0;
    dimension = 0;
    present = 0;
    while (!in.atEnd()) {
      int tag = in.readTag();
      int field = tag >>> 3;
      switch (tag) {
        case 9 << 3 | WireCursor.LENGTH_DELIMITED -> times.addPacked(in, 8);
        case 9 << 3 | WireCursor.FIXED64 -> times.addOne(in, 8);
        case 10 << 3 | WireCursor.LENGTH_DELIMITED -> {
          nullLength = in.readLength();
          nullStart = in.position;
          in.position += nullLength;
        }
        case 11 << 3 | WireCursor.LENGTH_DELIMITED,
            13 << 3 | WireCursor.LENGTH_DELIMITED,
            17 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (varints.addPacked(in)) {
            present |= 1 << field;
          }
        }
        case 11 << 3 | WireCursor.VARINT,
            13 << 3 | WireCursor.VARINT,
            17 << 3 | WireCursor.VARINT -> {
          varints.add(in.readVarint());
          present |= 1 << field;
        }
        case 12 << 3 | WireCursor.LENGTH_DELIMITED, 16 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (fixed.addPacked(in, 8)) {
            present |= 1 << field;
          }
        }
        case 12 << 3 | WireCursor.FIXED64, 16 << 3 | WireCursor.FIXED64 -> {
          fixed.addOne(in, 8);
          present |= 1 << field;
        }
        case 18 << 3 | WireCursor.LENGTH_DELIMITED -> {
          if (fixed.addPacked(in, 4)) {
            present |= 1 << field;
          }
        }
        case 18 << 3 | WireCursor.FIXED32 -> {
          fixed.addOne(in, 4);
          present |= 1 << field;
        }
        case 14 << 3 | WireCursor.LENGTH_DELIMITED,
            15 << 3 | WireCursor.LENGTH_DELIMITED,
            20 << 3 | WireCursor.LENGTH_DELIMITED -> {
          slices.add(in);
          present |= 1 << field;
        }
        case 19 << 3 | WireCursor.VARINT -> dimension = (int) in.readVarint();
        default -> {
          if (field <= LAST_HEAD_FIELD && !headFieldsAllowed) {
            return false;
          }
          in.skip(tag);
        }
      }
    }
    return true;
  }

  private Column buildColumn(byte[] payload, ColumnSpec spec, int rows, int frame, int index)
      throws InvalidMessageException {
    int timeCount = times.length >> 3;
    if (timeCount == 0 && rows > 0) {
      throw missing(
          columnPath(frame, index) + "observed_at",
          "'" + spec.feature() + "' needs the time of its observation");
    }
    if (timeCount > 1 && timeCount != rows) {
      throw mismatch(
          columnPath(frame, index) + "observed_at",
          spec,
          timeCount + " times for " + rows + " rows");
    }
    for (int i = 0; i < timeCount; i++) {
      long time = times.longAt(i);
      if (time < MIN_TIME || time > MAX_TIME) {
        checkTime(time, columnPath(frame, index) + "observed_at");
      }
    }
    if (nullLength > (rows + 7) >> 3) {
      throw mismatch(
          columnPath(frame, index) + "nulls",
          spec,
          "a null bitmap of " + nullLength + " bytes for " + rows + " rows");
    }
    int own = VALUE_FIELDS[spec.type().code()];
    if ((present & ~(1 << own)) != 0) {
      int other = Integer.numberOfTrailingZeros(present & ~(1 << own));
      throw invalid(
          columnPath(frame, index) + VALUE_FIELD_NAMES[other - FIRST_VALUE_FIELD],
          "'" + spec.feature() + "' is of type " + spec.type() + " but has values of another type");
    }
    boolean allNull = rows > 0 && present == 0 && allNull(payload, rows);
    long expected = allNull ? 0 : rows;
    long actual;
    switch (spec.type()) {
      case INT64, DATE, BOOL -> actual = varints.count;
      case FLOAT64, TIMESTAMP -> actual = fixed.length >> 3;
      case VECTOR -> {
        actual = fixed.length >> 2;
        expected *= dimension;
        if (dimension < 0 || (dimension == 0 && !allNull && rows > 0)) {
          throw mismatch(
              columnPath(frame, index) + "vector_dimension",
              spec,
              "a vector_dimension of " + Integer.toUnsignedString(dimension));
        }
      }
      default -> actual = slices.count;
    }
    if (actual != expected) {
      throw mismatch(
          columnPath(frame, index) + VALUE_FIELD_NAMES[own - FIRST_VALUE_FIELD],
          spec,
          actual
              + " values for "
              + rows
              + " rows"
              + (spec.type() == ValueType.VECTOR ? " of " + dimension + " numbers" : ""));
    }
    long[] numbers = NO_NUMBERS;
    int[] bounds = NO_BOUNDS;
    switch (spec.type()) {
      case INT64 -> {
        numbers = varints.take();
        for (int i = 0; i < numbers.length; i++) {
          numbers[i] = WireCursor.zigZag(numbers[i]);
        }
      }
      case DATE -> {
        numbers = varints.take();
        for (int i = 0; i < numbers.length; i++) {
          // A sint32 is the low half of its varint.
          numbers[i] = (int) WireCursor.zigZag(numbers[i] & 0xFFFFFFFFL);
        }
      }
      case BOOL -> numbers = varints.take();
      case STRING, JSON -> {
        bounds = slices.take();
        for (int i = 0; i < bounds.length; i += 2) {
          if (!Utf8.isWellFormed(payload, bounds[i], bounds[i + 1] - bounds[i])) {
            throw notUtf8(columnPath(frame, index) + VALUE_FIELD_NAMES[own - FIRST_VALUE_FIELD]);
          }
        }
      }
      case BYTES -> bounds = slices.take();
      default -> {}
    }
    return new Column(
        spec,
        payload,
        times.data,
        times.start,
        timeCount,
        nullStart,
        nullLength,
        fixed.data,
        fixed.start,
        numbers,
        bounds,
        dimension,
        allNull);
  }

  private boolean allNull(byte[] payload, int rows) {
    for (int row = 0; row < rows; row++) {
      if (row >> 3 >= nullLength || (payload[nullStart + (row >> 3)] >> (row & 7) & 1) == 0) {
        return false;
      }
    }
    return true;
  }

  private Deletion deletion(WireCursor in, int index)
      throws MalformedException, InvalidMessageException {
    int outer = enter(in);
    String path = "deletions[" + index + "].";
    String namespace = "";
    Keys keys = new Keys(path);
    List<String> features = new ArrayList<>();
    long observedAt = 0;
    while (!in.atEnd()) {
      int tag = in.readTag();
      switch (tag) {
        case 1 << 3 | WireCursor.LENGTH_DELIMITED -> namespace = text(in, path, "namespace");
        case 2 << 3 | WireCursor.LENGTH_DELIMITED -> keys.string(in);
        case 3 << 3 | WireCursor.LENGTH_DELIMITED -> keys.packed(in);
        case 3 << 3 | WireCursor.VARINT -> keys.integer(in.readVarint());
        case 4 << 3 | WireCursor.LENGTH_DELIMITED -> features.add(text(in, path, "features"));
        case 5 << 3 | WireCursor.FIXED64 -> observedAt = in.readFixed64();
        default -> in.skip(tag);
      }
    }
    in.limit = outer;
    if (namespace.isEmpty()) {
      throw missing(path + "namespace", "a deletion needs the namespace of its entities");
    }
    PrimaryKeys primaryKeys = keys.build(in.bytes);
    if (primaryKeys.count() == 0) {
      throw missing(path + "string_keys", "a deletion needs the keys of its entities");
    }
    if (observedAt == 0) {
      throw missing(path + "observed_at", "a deletion needs the time from which on it holds");
    }
    checkTime(observedAt, path + "observed_at");
    checkName(path + "namespace", namespace, namespace);
    List<String> names = new ArrayList<>(features.size());
    for (String feature : features) {
      if (!feature.startsWith(namespace + ".") || feature.length() < namespace.length() + 2) {
        throw invalid(
            path + "features",
            "'" + feature + "' is not in the namespace; expected '" + namespace + ".<name>'");
      }
      checkName(path + "features", namespace, feature);
      names.add(feature.substring(namespace.length() + 1));
    }
    return new Deletion(namespace, primaryKeys, List.copyOf(names), observedAt);
  }

  /** Refuses names of which no store can make one: those of a table for each feature, say. */
  private static void checkName(String field, String namespace, String name)
      throws InvalidMessageException {
    if (namespace.startsWith(".") || name.endsWith(".") || name.indexOf('\0') >= 0) {
      throw invalid(
          field,
          "'"
              + name.replace("\0", "\\0")
              + "' is not a name: it may neither begin nor end with a dot, nor hold a NUL");
    }
  }

  /** Fixed-width numbers, side by side: in the payload, unless a writer did not pack them. */
  private static final class FixedRun {
    byte[] data = NO_BYTES;
    int start;
    int length;

    void clear() {
      data = NO_BYTES;
      start = 0;
      length = 0;
    }

    long longAt(int index) {
      return WireCursor.longAt(data, start + (index << 3));
    }

    boolean addPacked(WireCursor in, int width) throws MalformedException {
      int bytes = in.readLength();
      if (bytes % width != 0) {
        throw new MalformedException(
            "a packed field at byte " + in.position + " ends inside a number");
      }
      add(in, bytes);
      return bytes > 0;
    }

    void addOne(WireCursor in, int width) throws MalformedException {
      if (in.limit - in.position < width) {
        throw new MalformedException("the message ends inside a field at byte " + in.limit);
      }
      add(in, width);
    }

    private void add(WireCursor in, int bytes) {
      if (length == 0) {
        data = in.bytes;
        start = in.position;
      } else {
        if (data == in.bytes || length + bytes > data.length) {
          byte[] grown = new byte[Math.max(length + bytes, 2 * length)];
          System.arraycopy(data, start, grown, 0, length);
          data = grown;
          start = 0;
        }
        System.arraycopy(in.bytes, in.position, data, length, bytes);
      }
      length += bytes;
      in.position += bytes;
    }
  }

  private static final class Varints {
    long[] numbers = new long[16];
    int count;

    void clear() {
      count = 0;
    }

    boolean addPacked(WireCursor in) throws MalformedException {
      int outer = enter(in);
      boolean any = !in.atEnd();
      while (!in.atEnd()) {
        add(in.readVarint());
      }
      in.limit = outer;
      return any;
    }

    void add(long number) {
      if (count == numbers.length) {
        numbers = Arrays.copyOf(numbers, 2 * count);
      }
      numbers[count++] = number;
    }

    long[] take() {
      return Arrays.copyOf(numbers, count);
    }
  }

  /** Positions of delimited values: pairs of start and end. */
  private static final class Slices {
    int[] bounds = new int[16];
    int count;

    void clear() {
      count = 0;
    }

    void add(WireCursor in) throws MalformedException {
      int length = in.readLength();
      if (2 * count == bounds.length) {
        bounds = Arrays.copyOf(bounds, 4 * count);
      }
      bounds[2 * count] = in.position;
      bounds[2 * count + 1] = in.position + length;
      count++;
      in.position += length;
    }

    int[] take() {
      return Arrays.copyOf(bounds, 2 * count);
    }
  }

  private static String columnPath(int frame, int index) {
    return "frames[" + frame + "].columns[" + index + "].";
  }

  private static void checkTime(long time, String field) throws InvalidMessageException {
    if (time < MIN_TIME || time > MAX_TIME) {
      throw invalid(field, time + " microseconds is not a time between the years 1 and 9999");
    }
  }

  private static void checkUtf8(WireCursor in, int length, String path, String field)
      throws InvalidMessageException {
    if (!Utf8.isWellFormed(in.bytes, in.position, length)) {
      throw notUtf8(path + field);
    }
  }

  private static InvalidMessageException notUtf8(String field) {
    return new InvalidMessageException(Reason.UNDECODABLE, field, "the text is not UTF-8");
  }

  private static InvalidMessageException missing(String field, String message) {
    return new InvalidMessageException(Reason.MISSING_FIELD, field, message);
  }

  private static InvalidMessageException invalid(String field, String message) {
    return new InvalidMessageException(Reason.INVALID_VALUE, field, message);
  }

  private static InvalidMessageException unknown(String field, String feature, String what) {
    return new InvalidMessageException(Reason.UNKNOWN_TYPE, field, "'" + feature + "' " + what);
  }

  private static InvalidMessageException mismatch(String field, ColumnSpec spec, String what) {
    return new InvalidMessageException(
        Reason.LENGTH_MISMATCH, field, "'" + spec.feature() + "' has " + what);
  }
}

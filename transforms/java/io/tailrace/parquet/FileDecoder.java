package io.tailrace.parquet;

import static java.util.Objects.requireNonNull;

import com.google.common.base.Utf8;
import io.tailrace.bus.BusMessage;
import io.tailrace.parquet.ObservationFile.FeatureRows;
import io.tailrace.parquet.ObservationFile.FileContents;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.parquet.ObservationRows.Texts;
import io.tailrace.parquet.ObservationRows.Values;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.TreeMap;
import org.apache.parquet.column.ColumnReader;
import org.apache.parquet.column.statistics.Statistics;
import org.apache.parquet.hadoop.metadata.BlockMetaData;
import org.apache.parquet.hadoop.metadata.ColumnChunkMetaData;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;
import org.jspecify.annotations.Nullable;

/**
 * Reads the Parquet files of the streaming-insert bus, whoever wrote them.
 *
 * <p>A file with a right {@link FileChecksum} is as its writer made it: its footer and the column
 * of features are looked at, its other columns left to whoever inserts it. Every value of any other
 * file is decoded and checked first. Stateless and thread-safe.
 */
public final class FileDecoder {
  private static final Set<String> FOOTER_KEYS =
      Set.of(
          ObservationSchema.KIND,
          ObservationSchema.VALUE_TYPE,
          ObservationSchema.ENVIRONMENT_ID,
          ObservationSchema.SCHEMA_VERSION,
          ObservationSchema.PUBLISHED_FROM,
          ObservationSchema.CHECKSUM);

  private static final String OUR_KEYS = "tailrace.";

  /**
   * Bytes from which on an entry of a dictionary is recognized wherever it comes up, by being the
   * same object, as comparing or copying it for each of its rows would take long.
   */
  private static final int LONG_ENTRY = 256;

  private FileDecoder() {}

  /**
   * Validates a message.
   *
   * @throws InvalidMessageException if it is no file that can be inserted
   */
  public static ObservationFile decode(BusMessage message) throws InvalidMessageException {
    return decode(message, QueryLog.CURRENT);
  }

  /** Validates a message, with other columns of the log of queries. */
  static ObservationFile decode(BusMessage message, QueryLog log) throws InvalidMessageException {
    byte[] bytes = message.payload();
    FileStructure.Checked checked = FileStructure.check(bytes);
    Map<String, String> footer = checked.texts();
    boolean trusted = checkFooter(bytes, footer);
    try (FileColumns file = new FileColumns(bytes)) {
      MessageType schema = file.schema();
      if (footer.getOrDefault(ObservationSchema.KIND, "").equals(ObservationSchema.QUERIES)) {
        checkSchema(schema, log.schema());
        return queries(message, checked, file, trusted, log);
      }
      Optional<ValueType> valueType = valueType(footer);
      boolean stringKeys = hasStringKeys(schema);
      checkSchema(schema, ObservationSchema.observations(stringKeys, valueType));
      return observations(message, checked, file, stringKeys, valueType, trusted);
    } catch (MissingValueException e) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD, e.column, String.valueOf(e.getMessage()));
    } catch (TooLargeException e) {
      throw new InvalidMessageException(Reason.TOO_LARGE, e.column, String.valueOf(e.getMessage()));
    } catch (OutOfMemoryError e) {
      // What asked for the room is given up with the file.
      throw new InvalidMessageException(
          Reason.UNDECODABLE, "", "the Parquet file asks for more memory than there is");
    } catch (IOException | RuntimeException e) {
      // Parquet's reader throws what it likes at what is damaged.
      throw new InvalidMessageException(
          Reason.UNDECODABLE, "", "the Parquet file can't be read: " + e.getMessage());
    }
  }

  /** Returns whether the file's checksum vouches for its rows. */
  private static boolean checkFooter(byte[] bytes, Map<String, String> footer)
      throws InvalidMessageException {
    boolean trusted = footer.containsKey(ObservationSchema.CHECKSUM);
    if (trusted && !FileChecksum.isRight(bytes)) {
      throw new InvalidMessageException(
          Reason.UNDECODABLE,
          ObservationSchema.CHECKSUM,
          "the file is damaged: its checksum is not the one in its footer");
    }
    for (String key : footer.keySet()) {
      if (key.startsWith(OUR_KEYS) && !FOOTER_KEYS.contains(key)) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE, key, "the footer's key '" + key + "' is unknown");
      }
    }
    if (!trusted && footer.containsKey(ObservationSchema.PUBLISHED_FROM)) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          ObservationSchema.CHECKSUM,
          "a file with " + ObservationSchema.PUBLISHED_FROM + " needs a checksum, too");
    }
    String version = required(footer, ObservationSchema.SCHEMA_VERSION, "'1'");
    if (!version.equals(ObservationSchema.VERSION)) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          ObservationSchema.SCHEMA_VERSION,
          "the file has version '" + version + "' of the layout; this program knows 1");
    }
    String kind = required(footer, ObservationSchema.KIND, "observations or query_log");
    if (!kind.equals(ObservationSchema.OBSERVATIONS) && !kind.equals(ObservationSchema.QUERIES)) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          ObservationSchema.KIND,
          "the file is of kind '" + kind + "'; expected observations or query_log");
    }
    String environment = required(footer, ObservationSchema.ENVIRONMENT_ID, "the environment");
    if (environment.isEmpty()) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          ObservationSchema.ENVIRONMENT_ID,
          "the footer's " + ObservationSchema.ENVIRONMENT_ID + " is empty");
    }
    return trusted;
  }

  private static String required(Map<String, String> footer, String key, String expected)
      throws InvalidMessageException {
    String value = footer.get(key);
    if (value == null) {
      throw new InvalidMessageException(
          Reason.MISSING_FIELD,
          key,
          "the file's footer lacks the key-value metadata " + key + " (" + expected + ")");
    }
    return value;
  }

  private static Optional<ValueType> valueType(Map<String, String> footer)
      throws InvalidMessageException {
    String name = footer.get(ObservationSchema.VALUE_TYPE);
    if (name == null) {
      return Optional.empty();
    }
    for (ValueType type : ValueType.values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    throw new InvalidMessageException(
        Reason.UNKNOWN_TYPE,
        ObservationSchema.VALUE_TYPE,
        "value type '" + name + "' is none of " + Arrays.toString(ValueType.values()));
  }

  private static boolean hasStringKeys(MessageType schema) {
    return schema.containsField(ObservationSchema.PKEY)
        && schema.getType(ObservationSchema.PKEY).isPrimitive()
        && schema.getType(ObservationSchema.PKEY).asPrimitiveType().getPrimitiveTypeName()
            == PrimitiveType.PrimitiveTypeName.BINARY;
  }

  /** Checks that the columns are there; others are of no interest. */
  private static void checkSchema(MessageType schema, MessageType expected)
      throws InvalidMessageException {
    for (Type column : expected.getFields()) {
      if (!schema.containsField(column.getName())) {
        if (column.isRepetition(Repetition.OPTIONAL)
            && !column.getName().equals(ObservationSchema.VALUE)) {
          continue;
        }
        throw new InvalidMessageException(
            Reason.MISSING_FIELD,
            column.getName(),
            "the file lacks the column '" + column.getName() + "': " + column);
      }
      Type found = schema.getType(column.getName());
      if (!isLike(found, column)) {
        throw new InvalidMessageException(
            Reason.UNKNOWN_TYPE,
            column.getName(),
            "column '"
                + column.getName()
                + "' is '"
                + found.toString().replaceAll("\\s+", " ")
                + "'; expected '"
                + column.toString().replaceAll("\\s+", " ")
                + "'");
      }
    }
  }

  /**
   * Whether a column can be read as another; it may be optional, which its rows then may not use.
   */
  private static boolean isLike(Type found, Type expected) {
    if (found.isPrimitive() != expected.isPrimitive()
        || found.getRepetition() == Repetition.REPEATED
        || !sameAnnotation(found.getLogicalTypeAnnotation(), expected.getLogicalTypeAnnotation())) {
      return false;
    }
    if (expected.isPrimitive()) {
      return found.asPrimitiveType().getPrimitiveTypeName()
              == expected.asPrimitiveType().getPrimitiveTypeName()
          && found.asPrimitiveType().getTypeLength() == expected.asPrimitiveType().getTypeLength();
    }
    // A list of three levels, whatever the inner ones are called.
    return found.asGroupType().getFieldCount() == 1
        && !found.asGroupType().getType(0).isPrimitive()
        && found.asGroupType().getType(0).getRepetition() == Repetition.REPEATED
        && found.asGroupType().getType(0).asGroupType().getFieldCount() == 1
        && isLike(
            found.asGroupType().getType(0).asGroupType().getType(0),
            expected.asGroupType().getType(0).asGroupType().getType(0));
  }

  private static boolean sameAnnotation(
      @Nullable LogicalTypeAnnotation found, @Nullable LogicalTypeAnnotation expected) {
    if (found instanceof LogicalTypeAnnotation.IntLogicalTypeAnnotation plain) {
      // Some writers say of an int64 that it is a signed integer of 64 bits.
      return expected == null && plain.isSigned() && plain.getBitWidth() == 64;
    }
    return java.util.Objects.equals(found, expected);
  }

  private static ObservationFile observations(
      BusMessage message,
      FileStructure.Checked checked,
      FileColumns file,
      boolean stringKeys,
      Optional<ValueType> valueType,
      boolean trusted)
      throws IOException, InvalidMessageException {
    TextColumn features = new TextColumn(ObservationSchema.FEATURE, new Budget());
    file.read(List.of(file.schema().getType(ObservationSchema.FEATURE)), List.of(features));
    Map<String, Integer> counts = new TreeMap<>();
    for (int index : features.indices()) {
      counts.merge(index < 0 ? "" : features.text(index), 1, Integer::sum);
    }
    List<FeatureRows> rows = new ArrayList<>();
    for (Map.Entry<String, Integer> count : counts.entrySet()) {
      String feature = count.getKey();
      if (feature.indexOf('.') <= 0 || feature.indexOf('\0') >= 0) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE,
            ObservationSchema.FEATURE,
            "'" + feature + "' is not a feature: expected namespace.name, such as user.age");
      }
      if (valueType.isPresent() && feature.endsWith(".")) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE,
            ObservationSchema.FEATURE,
            "'" + feature + "' names entities, which have no values: a feature needs a name");
      }
      rows.add(new FeatureRows(feature, count.getValue()));
    }
    long[] range = {Long.MAX_VALUE, Long.MIN_VALUE};
    FileContents contents = contents(checked, Kind.OBSERVATIONS, stringKeys, valueType, rows);
    if (trusted && statistics(file, ObservationSchema.OBSERVED_AT, range)) {
      return new ObservationFile(message, withRange(contents, features.count(), range));
    }
    ObservationRows all =
        observations(new ObservationFile(message, withRange(contents, features.count(), range)));
    for (int row = 0; row < all.count(); row++) {
      range[0] = Math.min(range[0], all.observedAt(row));
      range[1] = Math.max(range[1], all.observedAt(row));
    }
    if (!trusted) {
      new RowCheck(all, stringKeys, valueType).check();
    }
    return new ObservationFile(message, withRange(contents, features.count(), range));
  }

  private static FileContents contents(
      FileStructure.Checked checked,
      Kind kind,
      boolean stringKeys,
      Optional<ValueType> valueType,
      List<FeatureRows> features)
      throws InvalidMessageException {
    Map<String, String> footer = checked.texts();
    String published = footer.getOrDefault(ObservationSchema.PUBLISHED_FROM, "0");
    try {
      return new FileContents(
          kind,
          footer.getOrDefault(ObservationSchema.ENVIRONMENT_ID, ""),
          stringKeys,
          valueType,
          List.copyOf(features),
          0,
          0,
          0,
          Long.parseLong(published),
          checked.decompressedBytes());
    } catch (NumberFormatException e) {
      throw new InvalidMessageException(
          Reason.INVALID_VALUE,
          ObservationSchema.PUBLISHED_FROM,
          "'" + published + "' is not a time in microseconds");
    }
  }

  private static FileContents withRange(FileContents of, long rows, long[] range) {
    return new FileContents(
        of.kind(),
        of.environment(),
        of.stringKeys(),
        of.valueType(),
        of.features(),
        rows,
        range[0],
        range[1],
        of.publishedFrom(),
        of.decompressedBytes());
  }

  /** Reads a column's range from the footer; returns false if that does not say. */
  private static boolean statistics(FileColumns file, String column, long[] range) {
    for (BlockMetaData block : file.footer().getBlocks()) {
      for (ColumnChunkMetaData chunk : block.getColumns()) {
        if (chunk.getPath().toDotString().equals(column)) {
          Statistics<?> statistics = chunk.getStatistics();
          if (statistics == null
              || !statistics.hasNonNullValue()
              || !(statistics.genericGetMin() instanceof Long min)
              || !(statistics.genericGetMax() instanceof Long max)) {
            return false;
          }
          range[0] = Math.min(range[0], min);
          range[1] = Math.max(range[1], max);
        }
      }
    }
    return true;
  }

  private static ObservationFile queries(
      BusMessage message,
      FileStructure.Checked checked,
      FileColumns file,
      boolean trusted,
      QueryLog log)
      throws IOException, InvalidMessageException {
    long[] range = {Long.MAX_VALUE, Long.MIN_VALUE};
    long rows = 0;
    for (BlockMetaData block : file.footer().getBlocks()) {
      rows += block.getRowCount();
    }
    FileContents contents = contents(checked, Kind.QUERIES, false, Optional.empty(), List.of());
    if (!trusted || !statistics(file, QueryLog.TIME, range)) {
      for (QueryRow row :
          queries(new ObservationFile(message, withRange(contents, rows, range)), log)) {
        if (row.operationId().isEmpty()) {
          throw new InvalidMessageException(
              Reason.MISSING_FIELD, QueryLog.KEY, "a query has no " + QueryLog.KEY);
        }
        range[0] = Math.min(range[0], row.queryTimestamp());
        range[1] = Math.max(range[1], row.queryTimestamp());
      }
    }
    return new ObservationFile(message, withRange(contents, rows, range));
  }

  /** Decodes the rows of a file of observations. */
  static ObservationRows observations(ObservationFile file) throws IOException {
    try (FileColumns columns = new FileColumns(file.bytes())) {
      int count =
          Math.toIntExact(
              columns.footer().getBlocks().stream().mapToLong(BlockMetaData::getRowCount).sum());
      Budget budget = new Budget();
      TextColumn features = new TextColumn(ObservationSchema.FEATURE, budget);
      FixedColumn ids = new FixedColumn(count);
      TextColumn stringKeys = new TextColumn(ObservationSchema.PKEY, budget);
      NumberColumn integerKeys = new NumberColumn(ObservationSchema.PKEY, count, true);
      NumberColumn times = new NumberColumn(ObservationSchema.OBSERVED_AT, count, true);
      TextColumn resolvers = new TextColumn(ObservationSchema.RESOLVER_FQN, budget);
      TextColumn deployments = new TextColumn(ObservationSchema.DEPLOYMENT_ID, budget);
      TextColumn operations = new TextColumn(ObservationSchema.OPERATION_ID, budget);
      NumberColumn deleted = new NumberColumn(ObservationSchema.DELETED, count, true);
      Map<String, FileColumns.ColumnTaker> takers = new LinkedHashMap<>();
      takers.put(ObservationSchema.FEATURE, features);
      takers.put(ObservationSchema.OBSERVATION_ID, ids);
      takers.put(ObservationSchema.PKEY, file.stringKeys() ? stringKeys : integerKeys);
      takers.put(ObservationSchema.OBSERVED_AT, times);
      putOptional(columns, resolvers, count, takers);
      putOptional(columns, deployments, count, takers);
      takers.put(ObservationSchema.OPERATION_ID, operations);
      takers.put(ObservationSchema.DELETED, deleted);
      ValueColumn values = new ValueColumn(file.valueType(), count, budget);
      if (file.valueType().isPresent()) {
        takers.put(ObservationSchema.VALUE, values);
      }
      read(columns, takers);
      return new ObservationRows(
          count,
          features.texts(),
          features.indices(),
          ids.bytes,
          new Texts(stringKeys.distinct, stringKeys.indices()),
          integerKeys.numbers,
          values.present,
          new Values(values.numbers, values.bytes),
          times.numbers,
          new Texts(resolvers.distinct, resolvers.indices()),
          new Texts(deployments.distinct, deployments.indices()),
          new Texts(operations.distinct, operations.indices()),
          deleted.booleans());
    } catch (RuntimeException e) {
      throw new IOException("the Parquet file can't be read: " + e.getMessage(), e);
    }
  }

  private static void putOptional(
      FileColumns columns, TextColumn column, int rows, Map<String, FileColumns.ColumnTaker> to) {
    if (columns.schema().containsField(column.name)) {
      to.put(column.name, column);
    } else {
      column.takeNulls(rows);
    }
  }

  private static void read(FileColumns columns, Map<String, FileColumns.ColumnTaker> takers)
      throws IOException {
    List<Type> wanted = new ArrayList<>();
    for (String name : takers.keySet()) {
      wanted.add(columns.schema().getType(name));
    }
    columns.read(wanted, List.copyOf(takers.values()));
  }

  /** Decodes the rows of a file of queries. */
  static List<QueryRow> queries(ObservationFile file, QueryLog log) throws IOException {
    try (FileColumns columns = new FileColumns(file.bytes())) {
      int count =
          Math.toIntExact(
              columns.footer().getBlocks().stream().mapToLong(BlockMetaData::getRowCount).sum());
      Budget budget = new Budget();
      Map<QueryLog.Column, FileColumns.ColumnTaker> takers = new LinkedHashMap<>();
      Map<String, FileColumns.ColumnTaker> byName = new LinkedHashMap<>();
      for (QueryLog.Column column : log.columns()) {
        if (columns.schema().containsField(column.name())) {
          FileColumns.ColumnTaker taker =
              switch (column.type()) {
                case TEXT -> new TextColumn(column.name(), budget);
                case TIMESTAMP -> new NumberColumn(column.name(), count, column.required());
                case TEXTS -> new TextListColumn(column.name(), budget, column.required());
              };
          takers.put(column, taker);
          byName.put(column.name(), taker);
        }
      }
      read(columns, byName);
      List<QueryRow> rows = new ArrayList<>(count);
      for (int row = 0; row < count; row++) {
        rows.add(query(takers, row, file.environment()));
      }
      return rows;
    } catch (RuntimeException e) {
      throw new IOException("the Parquet file can't be read: " + e.getMessage(), e);
    }
  }

  private static QueryRow query(
      Map<QueryLog.Column, FileColumns.ColumnTaker> takers, int row, String environment)
      throws IOException {
    Map<String, String> texts = new HashMap<>();
    Map<String, Long> times = new HashMap<>();
    Map<String, List<String>> lists = new HashMap<>();
    for (Map.Entry<QueryLog.Column, FileColumns.ColumnTaker> taker : takers.entrySet()) {
      String name = taker.getKey().name();
      if (taker.getValue() instanceof TextColumn column) {
        String text = taker.getKey().required() ? column.at(row) : column.orEmpty(row);
        // In an optional column, empty is absent.
        if (taker.getKey().required() || !text.isEmpty()) {
          texts.put(name, text);
        }
      } else if (taker.getValue() instanceof NumberColumn column) {
        column.at(row).ifPresent(time -> times.put(name, time));
      } else if (taker.getValue() instanceof TextListColumn column) {
        column.lists.get(row).ifPresent(list -> lists.put(name, list));
      }
    }
    String found = requireNonNull(texts.get(QueryLog.ENVIRONMENT));
    if (!found.equals(environment)) {
      throw new IOException(
          "row " + row + " is of environment '" + found + "', its file of '" + environment + "'");
    }
    return new QueryRow(texts, times, lists);
  }

  /** A column has a null where none may be. */
  private static final class MissingValueException extends IOException {
    private static final long serialVersionUID = 1;

    final String column;

    MissingValueException(String column) {
      super("column '" + column + "' has a null, which it may not");
      this.column = column;
    }
  }

  /** A file's values take more memory than a file may. */
  private static final class TooLargeException extends IOException {
    private static final long serialVersionUID = 1;

    final String column;

    TooLargeException(String column) {
      super(
          "decoded, the values of the file have more than "
              + FileStructure.MAX_DECOMPRESSED_BYTES
              + " bytes, column '"
              + column
              + "' included");
      this.column = column;
    }
  }

  /**
   * What the decoded values of a file may take: a few bytes of a page can stand for a million
   * values.
   */
  private static final class Budget {
    private long left = FileStructure.MAX_DECOMPRESSED_BYTES;

    void take(long bytes, String column) throws TooLargeException {
      left -= bytes;
      if (left < 0) {
        throw new TooLargeException(column);
      }
    }
  }

  /** A column of texts, each distinct one decoded once. */
  private static final class TextColumn implements FileColumns.ColumnTaker {
    final List<byte[]> distinct = new ArrayList<>();
    private final String name;
    private final Map<Integer, String> decoded = new HashMap<>();
    private final Map<ByteBuffer, Integer> known = new HashMap<>();
    private final IdentityHashMap<Binary, Integer> longEntries = new IdentityHashMap<>();
    private final Budget budget;
    private int[] index = new int[0];
    private int count;
    // A dictionary hands out the same object for the same text.
    private Binary last = Binary.EMPTY;
    private int lastIndex = -1;

    TextColumn(String name, Budget budget) {
      this.name = name;
      this.budget = budget;
    }

    @Override
    public void take(ColumnReader column, int rows) throws IOException {
      index = Arrays.copyOf(index, count + rows);
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      for (int i = 0; i < rows; i++) {
        if (column.getCurrentDefinitionLevel() < defined) {
          index[count++] = -1;
        } else {
          index[count++] = indexOf(column.getBinary());
        }
        column.consume();
      }
      endGroup();
    }

    /** Takes rows of a column that the file does not have. */
    void takeNulls(int rows) {
      index = new int[rows];
      Arrays.fill(index, -1);
      count = rows;
    }

    @SuppressWarnings("ReferenceEquality") // Identity is enough to spare the work.
    int indexOf(Binary text) throws IOException {
      if (text != last || lastIndex < 0) {
        if (text.length() < LONG_ENTRY) {
          lastIndex = find(text);
        } else {
          Integer found = longEntries.get(text);
          lastIndex = found == null ? find(text) : found;
          if (found == null) {
            longEntries.put(text, lastIndex);
          }
        }
        last = text;
      }
      return lastIndex;
    }

    private int find(Binary text) throws IOException {
      Integer found = known.get(text.toByteBuffer());
      if (found != null) {
        return found;
      }
      budget.take(text.length(), name);
      byte[] bytes = text.getBytes();
      if (!Utf8.isWellFormed(bytes)) {
        throw new IOException("column " + name + " has a text that is not UTF-8");
      }
      known.put(ByteBuffer.wrap(bytes), distinct.size());
      distinct.add(bytes);
      return distinct.size() - 1;
    }

    /** Forgets the entries of a row group's dictionary, which hold on to its page. */
    void endGroup() {
      longEntries.clear();
    }

    int count() {
      return count;
    }

    int[] indices() {
      return index;
    }

    String text(int at) {
      return decoded.computeIfAbsent(
          at, it -> new String(distinct.get(it), StandardCharsets.UTF_8));
    }

    String at(int row) throws IOException {
      if (index[row] < 0) {
        throw new MissingValueException(name);
      }
      return text(index[row]);
    }

    /** Returns the text of a row; empty where it has none. */
    String orEmpty(int row) {
      return index[row] < 0 ? "" : text(index[row]);
    }

    List<String> texts() {
      List<String> all = new ArrayList<>();
      for (int i = 0; i < distinct.size(); i++) {
        all.add(text(i));
      }
      return all;
    }
  }

  /** A column of ids. */
  private static final class FixedColumn implements FileColumns.ColumnTaker {
    final byte[] bytes;
    private int count;

    FixedColumn(int rows) {
      bytes = new byte[rows * ObservationIds.LENGTH];
    }

    @Override
    public void take(ColumnReader column, int rows) throws IOException {
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      for (int i = 0; i < rows; i++) {
        if (column.getCurrentDefinitionLevel() < defined) {
          throw new MissingValueException(ObservationSchema.OBSERVATION_ID);
        }
        ByteBuffer id = column.getBinary().toByteBuffer();
        id.get(bytes, count * ObservationIds.LENGTH, ObservationIds.LENGTH);
        count++;
        column.consume();
      }
    }
  }

  /** A column of integers, times or truths. */
  private static final class NumberColumn implements FileColumns.ColumnTaker {
    final long[] numbers;
    private final String name;
    private final boolean[] present;
    private final boolean required;
    private int count;

    NumberColumn(String name, int rows, boolean required) {
      this.name = name;
      this.numbers = new long[rows];
      this.present = new boolean[rows];
      this.required = required;
    }

    @Override
    public void take(ColumnReader column, int rows) throws IOException {
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      boolean isBoolean =
          column.getDescriptor().getPrimitiveType().getPrimitiveTypeName()
              == PrimitiveType.PrimitiveTypeName.BOOLEAN;
      for (int i = 0; i < rows; i++) {
        if (column.getCurrentDefinitionLevel() == defined) {
          present[count] = true;
          numbers[count] = isBoolean ? (column.getBoolean() ? 1 : 0) : column.getLong();
        } else if (required) {
          throw new MissingValueException(name);
        }
        count++;
        column.consume();
      }
    }

    OptionalLong at(int row) {
      return present[row] ? OptionalLong.of(numbers[row]) : OptionalLong.empty();
    }

    boolean[] booleans() {
      boolean[] truths = new boolean[numbers.length];
      for (int i = 0; i < truths.length; i++) {
        truths[i] = numbers[i] != 0;
      }
      return truths;
    }
  }

  /** The column of values. */
  private static final class ValueColumn implements FileColumns.ColumnTaker {
    final boolean[] present;
    final long[] numbers;
    final byte[][] bytes;
    private final Optional<ValueType> type;
    private final Budget budget;
    private final IdentityHashMap<Binary, byte[]> longEntries = new IdentityHashMap<>();
    private int count;
    // A dictionary hands out the same object for the same value.
    private Binary last = Binary.EMPTY;
    private byte[] lastBytes = Texts.NONE;

    ValueColumn(Optional<ValueType> type, int rows, Budget budget) {
      this.type = type;
      this.budget = budget;
      boolean inBytes =
          type.map(
                  it ->
                      switch (it) {
                        case STRING, BYTES, JSON, VECTOR -> true;
                        default -> false;
                      })
              .orElse(false);
      present = new boolean[rows];
      numbers = new long[inBytes || type.isEmpty() ? 0 : rows];
      bytes = new byte[inBytes ? rows : 0][];
    }

    @Override
    public void take(ColumnReader column, int rows) throws IOException {
      if (type.orElseThrow() == ValueType.VECTOR) {
        takeVectors(column, rows);
        return;
      }
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      for (int i = 0; i < rows; i++) {
        if (column.getCurrentDefinitionLevel() == defined) {
          present[count] = true;
          switch (type.orElseThrow()) {
            case INT64, TIMESTAMP -> numbers[count] = column.getLong();
            case DATE -> numbers[count] = column.getInteger();
            case BOOL -> numbers[count] = column.getBoolean() ? 1 : 0;
            case FLOAT64 -> numbers[count] = Double.doubleToLongBits(column.getDouble());
            default -> bytes[count] = bytesOf(column.getBinary());
          }
        }
        count++;
        column.consume();
      }
      longEntries.clear();
    }

    @SuppressWarnings("ReferenceEquality") // Identity is enough to spare the work.
    private byte[] bytesOf(Binary value) throws IOException {
      if (value != last) {
        byte @Nullable [] found = value.length() < LONG_ENTRY ? null : longEntries.get(value);
        if (found == null) {
          budget.take(value.length(), ObservationSchema.VALUE);
          found = value.getBytes();
          if (found.length >= LONG_ENTRY) {
            longEntries.put(value, found);
          }
        }
        last = value;
        lastBytes = found;
      }
      return lastBytes;
    }

    private void takeVectors(ColumnReader column, int rows) throws IOException {
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      // The level of an empty list is one below that of an element, two where elements are
      // optional.
      int list =
          column.getDescriptor().getPrimitiveType().isRepetition(Repetition.OPTIONAL)
              ? defined - 2
              : defined - 1;
      ByteBuffer numbersOfRow = ByteBuffer.allocate(1 << 10);
      for (int row = 0; row < rows; row++) {
        numbersOfRow.clear();
        boolean isPresent = column.getCurrentDefinitionLevel() >= list;
        do {
          budget.take(Float.BYTES, ObservationSchema.VALUE);
          if (column.getCurrentDefinitionLevel() == defined) {
            if (numbersOfRow.remaining() < Float.BYTES) {
              numbersOfRow =
                  ByteBuffer.allocate(2 * numbersOfRow.capacity()).put(numbersOfRow.flip());
            }
            numbersOfRow.putFloat(column.getFloat());
          } else if (column.getCurrentDefinitionLevel() > list) {
            throw new IOException("a vector has a null among its numbers");
          }
          column.consume();
        } while (column.getCurrentRepetitionLevel() > 0);
        if (isPresent) {
          present[count] = true;
          bytes[count] = Arrays.copyOf(numbersOfRow.array(), numbersOfRow.position());
        }
        count++;
      }
    }
  }

  /** A column of lists of texts, none of which may be null. */
  private static final class TextListColumn implements FileColumns.ColumnTaker {
    /** What an element of a list takes: a reference to its text, in a list with room to grow. */
    private static final int ELEMENT_BYTES = 16;

    /** What a distinct text takes beside its bytes; there may be more of them than rows. */
    private static final int TEXT_BYTES = 200;

    final List<Optional<List<String>>> lists = new ArrayList<>();
    private final String name;
    private final Budget budget;
    private final boolean required;
    private final TextColumn texts;

    TextListColumn(String name, Budget budget, boolean required) {
      this.name = name;
      this.budget = budget;
      this.required = required;
      this.texts = new TextColumn(name, budget);
    }

    @Override
    public void take(ColumnReader column, int rows) throws IOException {
      int defined = column.getDescriptor().getMaxDefinitionLevel();
      int empty =
          column.getDescriptor().getPrimitiveType().isRepetition(Repetition.OPTIONAL)
              ? defined - 2
              : defined - 1;
      for (int row = 0; row < rows; row++) {
        boolean isPresent = column.getCurrentDefinitionLevel() >= empty;
        if (!isPresent && required) {
          throw new MissingValueException(name);
        }
        List<String> list = new ArrayList<>();
        do {
          budget.take(ELEMENT_BYTES, name);
          if (column.getCurrentDefinitionLevel() == defined) {
            int known = texts.distinct.size();
            int index = texts.indexOf(column.getBinary());
            if (index == known) {
              budget.take(TEXT_BYTES, name);
            }
            list.add(texts.text(index));
          } else if (column.getCurrentDefinitionLevel() > empty) {
            throw new IOException("column '" + name + "' has a null in a list");
          }
          column.consume();
        } while (column.getCurrentRepetitionLevel() > 0);
        lists.add(isPresent ? Optional.of(list) : Optional.empty());
      }
      texts.endGroup();
    }
  }

  /** Checks what the file's own writer could not get wrong. */
  private record RowCheck(ObservationRows rows, boolean stringKeys, Optional<ValueType> type) {
    void check() throws InvalidMessageException {
      ObservationIds ids = new ObservationIds();
      byte[] expected = new byte[ObservationIds.LENGTH];
      for (int row = 0; row < rows.count(); row++) {
        byte[] operation = rows.operationId(row);
        if (operation.length == 0) {
          throw missing(ObservationSchema.OPERATION_ID, row);
        }
        checkDeleted(row);
        byte[] feature = rows.feature(row).getBytes(StandardCharsets.UTF_8);
        if (rows.isDeleted(row)) {
          ids.beginDeletions(operation, feature);
        } else {
          ids.begin(operation, feature);
        }
        if (stringKeys) {
          byte[] key = rows.stringKey(row);
          if (key.length == 0) {
            throw missing(ObservationSchema.PKEY, row);
          }
          ids.compute(key, 0, key.length, rows.observedAt(row), expected, 0);
        } else {
          ids.compute(rows.integerKey(row), rows.observedAt(row), expected, 0);
        }
        if (!rows.id(row).equals(ByteBuffer.wrap(expected))) {
          throw new InvalidMessageException(
              Reason.INVALID_VALUE,
              ObservationSchema.OBSERVATION_ID,
              "the observation_id of row "
                  + row
                  + " is not the MD5 of its operation_id, feature, pkey and observed_at, "
                  + HexFormat.of().formatHex(expected));
        }
        checkValue(row);
      }
    }

    private void checkDeleted(int row) throws InvalidMessageException {
      if (type.isEmpty() != rows.isDeleted(row)) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE,
            ObservationSchema.DELETED,
            "row "
                + row
                + (type.isEmpty()
                    ? " is not deleted, and a file without tailrace.value_type holds deletions"
                    : " is deleted: deletions go into a file without tailrace.value_type"));
      }
    }

    private void checkValue(int row) throws InvalidMessageException {
      if (rows.hasValue(row)
          && (type.equals(Optional.of(ValueType.STRING))
              || type.equals(Optional.of(ValueType.JSON)))
          && !Utf8.isWellFormed(rows.bytes(row))) {
        throw new InvalidMessageException(
            Reason.INVALID_VALUE,
            ObservationSchema.VALUE,
            "the value of row " + row + " is not UTF-8");
      }
    }

    private static InvalidMessageException missing(String column, int row) {
      return new InvalidMessageException(
          Reason.MISSING_FIELD, column, "row " + row + " has no " + column);
    }
  }
}

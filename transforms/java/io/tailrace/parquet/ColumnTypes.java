package io.tailrace.parquet;

import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.JsonLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;
import org.jspecify.annotations.Nullable;

/**
 * Which columns of other publishers can be read as those of ours: those from which every value
 * comes out as it is, of whatever width, unit or annotation. Not thread-safe.
 */
final class ColumnTypes {
  private final FileColumns file;

  ColumnTypes(FileColumns file) {
    this.file = file;
  }

  /**
   * Checks that a file's columns can be read as others; what it has beside them is of no interest.
   *
   * @param mayBeAbsent names of the columns that the file may lack
   * @return names of columns that are to be taken for absent: of another type, but with nothing in
   *     them, as tools write them that guess types from values
   */
  Set<String> check(MessageType expected, Set<String> mayBeAbsent)
      throws InvalidMessageException, IOException {
    Set<String> nulls = new HashSet<>();
    for (Type column : expected.getFields()) {
      String name = column.getName();
      if (file.has(name)) {
        if (isAbsent(column, mayBeAbsent.contains(name))) {
          nulls.add(name);
        }
      } else if (!mayBeAbsent.contains(name)) {
        throw new InvalidMessageException(
            Reason.MISSING_FIELD, name, "the file lacks the column '" + name + "': " + column);
      }
    }
    return nulls;
  }

  /**
   * Checks that columns that a file has can be read as others, of which several may want one.
   *
   * @return those that are to be taken for absent, by name, with what they can't be read as
   */
  Map<String, Type> checkAll(List<Type> expected) throws InvalidMessageException, IOException {
    Map<String, Type> nulls = new LinkedHashMap<>();
    for (Type column : expected) {
      if (isAbsent(column, false)) {
        nulls.put(column.getName(), column);
      }
    }
    return nulls;
  }

  /** Returns whether a column is to be taken for absent; if not, it can be read as another. */
  private boolean isAbsent(Type column, boolean mayBeAbsent)
      throws InvalidMessageException, IOException {
    Type found = file.schema().getType(column.getName());
    if ((mayBeAbsent || column.isRepetition(Repetition.OPTIONAL))
        && found.isPrimitive()
        && found.isRepetition(Repetition.OPTIONAL)
        && !isReadable(found, column)
        && file.isAllNull(column.getName())) {
      return true;
    }
    check(found, column);
    return false;
  }

  private static void check(Type found, Type expected) throws InvalidMessageException {
    if (!isReadable(found, expected)) {
      throw new InvalidMessageException(
          Reason.UNKNOWN_TYPE,
          found.getName(),
          "column '"
              + found.getName()
              + "' is '"
              + oneLine(found)
              + "'"
              + (isLocalTime(found) ? ", a time that is not adjusted to UTC" : "")
              + "; expected '"
              + oneLine(expected)
              + "'");
    }
  }

  private static String oneLine(Type type) {
    return type.toString().replaceAll("\\s+", " ");
  }

  private static boolean isLocalTime(Type type) {
    return type.getLogicalTypeAnnotation() instanceof TimestampLogicalTypeAnnotation time
        && !time.isAdjustedToUTC();
  }

  /**
   * Whether a column can be read as another; it may be optional, which its rows then may not use.
   */
  private static boolean isReadable(Type found, Type expected) {
    if (found.isPrimitive() != expected.isPrimitive() || found.isRepetition(Repetition.REPEATED)) {
      return false;
    }
    return expected.isPrimitive()
        ? isReadable(found.asPrimitiveType(), expected.asPrimitiveType())
        : isList(found, expected.asGroupType().getType(0).asGroupType().getType(0));
  }

  /** A list of three levels, whatever the inner ones are called, or of two, as older writers do. */
  private static boolean isList(Type found, Type expectedElement) {
    if (!LogicalTypeAnnotation.listType().equals(found.getLogicalTypeAnnotation())
        || found.asGroupType().getFieldCount() != 1
        || !found.asGroupType().getType(0).isRepetition(Repetition.REPEATED)) {
      return false;
    }
    Type repeated = found.asGroupType().getType(0);
    if (repeated.isPrimitive()) {
      return isReadable(repeated.asPrimitiveType(), expectedElement.asPrimitiveType());
    }
    return repeated.asGroupType().getFieldCount() == 1
        && isReadable(repeated.asGroupType().getType(0), expectedElement);
  }

  private static boolean isReadable(PrimitiveType found, PrimitiveType expected) {
    @Nullable LogicalTypeAnnotation as = found.getLogicalTypeAnnotation();
    boolean isText = as instanceof StringLogicalTypeAnnotation;
    return switch (expected.getPrimitiveTypeName()) {
      case BOOLEAN -> NumberType.ofTruths(found).isPresent();
      case INT32 -> has(found, PrimitiveTypeName.INT32) && as instanceof DateLogicalTypeAnnotation;
      case INT64 ->
          expected.getLogicalTypeAnnotation() == null
              ? NumberType.ofIntegers(found).isPresent()
              : NumberType.ofTimes(found).isPresent();
      case DOUBLE, FLOAT -> FloatType.of(found).isPresent();
      // Ids.
      case FIXED_LEN_BYTE_ARRAY ->
          has(found, PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY)
              ? found.getTypeLength() == expected.getTypeLength()
                  && (as == null || as instanceof UUIDLogicalTypeAnnotation)
              : has(found, PrimitiveTypeName.BINARY) && (as == null || isText);
      case BINARY ->
          expected.getLogicalTypeAnnotation() == null
              ? as == null
                  && (has(found, PrimitiveTypeName.BINARY)
                      || has(found, PrimitiveTypeName.FIXED_LEN_BYTE_ARRAY))
              : has(found, PrimitiveTypeName.BINARY)
                  && (isText
                      || (as instanceof JsonLogicalTypeAnnotation
                          && as.equals(expected.getLogicalTypeAnnotation())));
      case INT96 -> false;
    };
  }

  private static boolean has(PrimitiveType type, PrimitiveTypeName name) {
    return type.getPrimitiveTypeName() == name;
  }
}

package io.tailrace.pipelines.deadletter;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.parquet.FileDescription;
import io.tailrace.pipelines.TerminalText;
import io.tailrace.stage.Letter;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.MetricsSummary;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.parquet.schema.Type;

/** Explains a letter as a good compiler explains an error: where, what, and what helps. */
final class LetterExplanation {
  private static final int MAX_FEATURES = 8;
  private static final int MAX_CELLS = 20;

  /** Bytes of a text that are shown. */
  private static final int MAX_TEXT = 2_000;

  private static final int MAX_COLUMNS = 60;

  private final LetterContents contents;
  private final Optional<TablesNow> tables;
  private final Optional<EntitiesNow> entities;

  /**
   * Creates one.
   *
   * @param tables empty: the offline store is not looked at
   * @param entities empty: the online store is not looked at
   */
  LetterExplanation(
      LetterContents contents, Optional<TablesNow> tables, Optional<EntitiesNow> entities) {
    this.contents = contents;
    this.tables = tables;
    this.entities = entities;
  }

  /** Returns what is known of a letter, for a program: texts, and lists of them. */
  Map<String, Object> facts(StoredLetter stored) {
    Letter letter = stored.letter();
    Map<String, Object> facts = new LinkedHashMap<>();
    facts.put("position", stored.position());
    facts.put("reason", stored.reason());
    facts.put("writer", letter.writer());
    facts.put("group", letter.group());
    facts.put("stage", letter.stage());
    facts.put("place", letter.place());
    facts.put("publishedAt", letter.publishedAt().map(Object::toString).orElse(""));
    facts.put("failedAt", letter.failedAt().toString());
    facts.put("attempts", letter.attempts());
    facts.put("retryable", letter.text(Letter.RETRYABLE).equals("true"));
    facts.put("field", letter.text(Letter.FIELD));
    facts.put("message", letter.text(Letter.MESSAGE));
    facts.put("cells", LetterCells.of(letter));
    facts.put("environment", contents.environment(stored).orElse(""));
    facts.put("features", contents.features(stored));
    facts.put("source", source(stored));
    facts.put("tables", tables(stored));
    facts.put("entities", entities(stored));
    facts.put("help", Advice.on(letter.reason()).help());
    return facts;
  }

  /** Returns the lines for a person. */
  List<String> lines(StoredLetter stored) {
    Letter letter = stored.letter();
    List<String> lines = new ArrayList<>();
    lines.add("letter " + stored.position() + ": " + stored.reason());
    lines.add(
        "  --> "
            + letter.place()
            + letter.publishedAt().map(time -> ", published " + time).orElse(""));
    lines.add("   |");
    source(stored).forEach(line -> lines.add("   | " + line));
    lines.add("   |");
    lines.add("   = " + letter.text(Letter.MESSAGE));
    lines.add(
        "   = refused by the "
            + letter.writer()
            + (letter.group().isEmpty() || letter.group().equals(letter.writer())
                ? ""
                : " of the group " + letter.group())
            + " in "
            + letter.stage()
            + " at "
            + letter.failedAt()
            + (letter.attempts() == 1 ? "" : ", tried " + letter.attempts() + " times"));
    contents.environment(stored).ifPresent(it -> lines.add("   = environment " + it));
    Set<String> features = new TreeSet<>(contents.features(stored));
    if (!features.isEmpty()) {
      lines.add(
          "   = features "
              + String.join(", ", features.stream().limit(MAX_FEATURES).toList())
              + (features.size() > MAX_FEATURES
                  ? " and " + (features.size() - MAX_FEATURES) + " more"
                  : ""));
    }
    stored.payloadUri().ifPresent(uri -> lines.add("   = the rest of it is in " + uri));
    tables(stored).forEach(line -> lines.add("   = " + line));
    entities(stored).forEach(line -> lines.add("   = " + line));
    lines.add("   = help: " + Advice.on(letter.reason()).help());
    return lines.stream().map(TerminalText::safe).toList();
  }

  /** Points at what is wrong. */
  private List<String> source(StoredLetter stored) {
    List<LetterCells.Cell> cells = LetterCells.of(stored.letter());
    List<String> lines = new ArrayList<>();
    Optional<byte[]> value = contents.value(stored);
    if (value.isEmpty()) {
      lines.add("its bytes are in a file that can't be read here: name --deadLetterOverflow");
    } else {
      switch (LetterContents.kind(stored)) {
        case FILE -> file(stored, value.get(), lines);
        case RESULT -> message(stored, value.get(), QueryResult.getDescriptor(), lines);
        case SUMMARY -> message(stored, value.get(), MetricsSummary.getDescriptor(), lines);
        // The cells say the files.
        case NOTIFICATION ->
            lines.add(
                new String(value.get(), 0, Math.min(MAX_TEXT, value.get().length), UTF_8)
                    .replaceAll("\\s+", " "));
      }
    }
    int listed = Math.min(cells.size(), MAX_CELLS);
    for (LetterCells.Cell cell : cells.subList(0, listed)) {
      lines.add(cell(cell) + ": " + cell.reason() + ", " + cell.message());
      value
          .filter(it -> LetterContents.kind(stored) == LetterContents.Kind.RESULT)
          .flatMap(LetterContents::result)
          .flatMap(result -> FoundCell.in(result, cell))
          .ifPresent(found -> lines.add("  found    " + found));
    }
    String count = stored.letter().text(Letter.CELL_COUNT);
    if (!count.isEmpty() && !count.equals(Integer.toString(listed))) {
      lines.add("… of " + count + " cells");
    }
    return lines;
  }

  private static String cell(LetterCells.Cell cell) {
    String feature = cell.feature().isEmpty() ? "all features" : "feature " + cell.feature();
    String key = cell.key().isEmpty() ? "several entities" : "the entity '" + cell.key() + "'";
    return feature + " of " + key + (cell.namespace().isEmpty() ? "" : " in " + cell.namespace());
  }

  private static void message(
      StoredLetter stored, byte[] value, Descriptor type, List<String> lines) {
    String field = stored.letter().text(Letter.FIELD);
    Reason reason = stored.letter().reason();
    String expected = Advice.on(reason).expected();
    DynamicMessage message;
    try {
      message = DynamicMessage.parseFrom(type, value);
    } catch (InvalidProtocolBufferException e) {
      Optional<BrokenBytes> broken = BrokenBytes.in(value, type);
      String path = broken.map(BrokenBytes::path).orElse("");
      lines.add(path.isEmpty() ? "the value, " + value.length + " bytes" : path);
      broken.ifPresent(
          it -> {
            lines.add("  found    at byte " + it.offset() + ": " + it.context(value));
            lines.add("           " + it.why());
          });
      lines.add("  expected a " + type.getFullName());
      return;
    }
    if (field.isEmpty()) {
      return;
    }
    lines.add(field);
    Optional<FoundField> found = FoundField.in(message, field);
    found.ifPresent(it -> lines.add("  found    " + it.words()));
    String allowed = found.map(FoundField::expected).orElse("");
    if (!allowed.isEmpty() || !expected.isEmpty()) {
      lines.add("  expected " + (allowed.isEmpty() ? expected : allowed));
    }
  }

  private static void file(StoredLetter stored, byte[] value, List<String> lines) {
    String field = stored.letter().text(Letter.FIELD);
    Optional<FileDescription> file = FileDescription.of(value);
    if (file.isEmpty()) {
      lines.add("the value, " + value.length + " bytes, is no Parquet file that can be read");
      return;
    }
    String column = field.replaceFirst("\\[.*", "");
    lines.add(stored.isRows() ? "the rows that were refused, a Parquet file:" : "a Parquet file:");
    List<Type> columns = file.get().schema().getFields();
    boolean marked = false;
    for (Type each : columns.subList(0, Math.min(columns.size(), MAX_COLUMNS))) {
      boolean isIt = each.getName().equals(column);
      marked |= isIt;
      String text = each.toString().replaceAll("\\s+", " ");
      lines.add((isIt ? "> " : "  ") + text + (isIt ? "   <-- " + field : ""));
    }
    if (columns.size() > MAX_COLUMNS) {
      lines.add("  … and " + (columns.size() - MAX_COLUMNS) + " more columns");
    }
    if (!marked && !field.isEmpty()) {
      String said = file.get().texts().get(field);
      lines.add(
          "> "
              + field
              + (said == null ? " is neither a column nor in the footer" : " = " + said)
              + "   <--");
    }
    lines.add("  expected " + Advice.on(stored.letter().reason()).expected());
  }

  /** Says how the tables are now. */
  private List<String> tables(StoredLetter stored) {
    Reason reason = stored.letter().reason();
    if (reason != Reason.TYPE_CHANGED
        && reason != Reason.TABLE_REFUSES
        && reason != Reason.NAME_TAKEN) {
      return List.of();
    }
    if (tables.isEmpty()) {
      return List.of("the table was not looked at: say where it is with --offlineStore=URI");
    }
    List<String> lines = new ArrayList<>();
    try {
      for (TablesNow.Now now : tables.get().of(stored, contents.environment(stored).orElse(""))) {
        lines.add(
            now.name()
                + " now"
                + (now.columns().isEmpty() ? "" : " has " + columns(now.columns()))
                + ": "
                + now.verdict());
      }
    } catch (UnavailableException e) {
      lines.add("the table can't be looked at: " + e.getMessage());
    }
    return lines;
  }

  /** Says what the online store has now of cells that were refused on their way there. */
  private List<String> entities(StoredLetter stored) {
    boolean isOnline =
        LetterContents.writer(stored).filter(writer -> writer.takes("onlineStore")).isPresent();
    Optional<String> environment = contents.environment(stored);
    if (!isOnline || entities.isEmpty() || environment.isEmpty()) {
      return List.of();
    }
    try {
      return entities.get().of(stored, environment.get());
    } catch (UnavailableException e) {
      return List.of("the online store can't be looked at: " + e.getMessage());
    }
  }

  private static String columns(Map<String, String> columns) {
    List<String> typed = new ArrayList<>();
    columns.forEach((name, type) -> typed.add(name + " " + type));
    return String.join(", ", typed);
  }
}

package io.tailrace.sql;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.google.common.collect.ImmutableMap;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a table says of itself in its comment: whose it is, and what else is known of it. It is one
 * line of JSON, such as {@code {"tailrace":"feature","namespace":"user","name":"age"}}; other lines
 * of the comment are other people's and stay. Immutable.
 *
 * @param owner whose the table is: what a table of that name has to say to be the one that is meant
 * @param facts what else is known; a table may say more
 */
public record Label(Map<String, String> owner, Map<String, String> facts) {
  /** The entry by which the line is known, which says what kind of table it is. */
  public static final String KIND = "tailrace";

  private static final JsonFactory JSON = new JsonFactory();

  /** Creates one. */
  public Label {
    owner = ImmutableMap.copyOf(owner);
    facts = ImmutableMap.copyOf(facts);
    if (!owner.containsKey(KIND)) {
      throw new IllegalArgumentException("a label says of which kind a table is");
    }
  }

  /** Returns what a comment says of its table; nothing, if it has no such line. */
  public static Map<String, String> in(String comment) {
    return comment.lines().map(Label::parse).filter(Label::isOne).findFirst().orElse(Map.of());
  }

  private static boolean isOne(Map<String, String> entries) {
    return entries.containsKey(KIND);
  }

  private static Map<String, String> parse(String line) {
    if (!line.startsWith("{")) {
      return Map.of();
    }
    Map<String, String> entries = new LinkedHashMap<>();
    try (JsonParser parser = JSON.createParser(line)) {
      parser.nextToken();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String name = parser.currentName();
        if (parser.nextToken() != JsonToken.VALUE_STRING) {
          return Map.of();
        }
        entries.put(name, parser.getText());
      }
      return parser.currentToken() == JsonToken.END_OBJECT && parser.nextToken() == null
          ? entries
          : Map.of();
    } catch (IOException e) {
      // Somebody's own words that begin with a brace.
      return Map.of();
    }
  }

  /**
   * Returns whether a table that says so is the one that is meant; one that says nothing may be.
   */
  boolean fits(Map<String, String> said) {
    return said.isEmpty()
        || owner.entrySet().stream().allMatch(is -> is.getValue().equals(said.get(is.getKey())));
  }

  /** Returns what a table says that said something else, and is told this. */
  public Map<String, String> over(Map<String, String> said) {
    Map<String, String> entries = new LinkedHashMap<>(owner);
    said.forEach(entries::putIfAbsent);
    entries.putAll(facts);
    return entries;
  }

  /** Returns a comment with this label in the place of the one it had. */
  String in(String comment, Map<String, String> said) {
    List<String> lines = new ArrayList<>(comment.lines().toList());
    lines.removeIf(line -> isOne(parse(line)));
    lines.add(write(over(said)));
    return String.join("\n", lines);
  }

  /** Returns it as the line that a new table's comment is. */
  public String line() {
    return in("", Map.of());
  }

  private static String write(Map<String, String> entries) {
    StringWriter line = new StringWriter();
    try (JsonGenerator json = JSON.createGenerator(line)) {
      json.writeStartObject();
      for (Map.Entry<String, String> entry : entries.entrySet()) {
        json.writeStringField(entry.getKey(), entry.getValue());
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return line.toString();
  }
}

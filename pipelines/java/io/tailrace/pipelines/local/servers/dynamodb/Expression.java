package io.tailrace.pipelines.local.servers.dynamodb;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A condition or an update, evaluated against an item as DynamoDB does: comparisons with what is
 * absent, or of another type, are false. Not thread-safe.
 */
final class Expression {
  private static final int MAX_BYTES = 4_096;
  private static final int MAX_OPERATORS = 300;

  private static final Pattern TOKEN =
      Pattern.compile("\\s*(<>|<=|>=|[=<>(),+-]|[#:]?[A-Za-z0-9_]+)");
  private static final Set<String> OPERATORS =
      Set.of(
          "<>",
          "<=",
          ">=",
          "=",
          "<",
          ">",
          "+",
          "-",
          "AND",
          "OR",
          "NOT",
          "BETWEEN",
          "IN",
          "attribute_exists",
          "attribute_not_exists",
          "attribute_type",
          "begins_with",
          "contains",
          "size",
          "if_not_exists");

  private final List<String> tokens = new ArrayList<>();
  private final Placeholders placeholders;
  private final ObjectNode item;
  private int next;

  /** What stands for names and values; each must be used. */
  static final class Placeholders {
    private final JsonNode names;
    private final JsonNode values;
    private final Set<String> used = new HashSet<>();

    Placeholders(JsonNode request) {
      names = request.path("ExpressionAttributeNames");
      values = request.path("ExpressionAttributeValues");
    }

    void checkAllUsed() throws Refusal {
      for (String field : List.of("Names", "Values")) {
        List<String> unused = new ArrayList<>();
        (field.equals("Names") ? names : values)
            .fieldNames()
            .forEachRemaining(
                each -> {
                  if (!used.contains(each)) {
                    unused.add(each);
                  }
                });
        if (!unused.isEmpty()) {
          throw Refusal.invalid(
              "Value provided in ExpressionAttribute"
                  + field
                  + " unused in expressions: keys: {"
                  + String.join(", ", unused)
                  + "}");
        }
      }
    }

    private String name(String token) throws Refusal {
      if (!token.startsWith("#")) {
        return token;
      }
      used.add(token);
      JsonNode name = names.get(token);
      if (name == null) {
        throw Refusal.invalid(
            "Invalid expression: An expression attribute name used in the document path is not"
                + " defined; attribute name: "
                + token);
      }
      return name.asText();
    }

    private JsonNode value(String token) throws Refusal {
      used.add(token);
      JsonNode value = values.get(token);
      if (value == null) {
        throw Refusal.invalid(
            "Invalid expression: An expression attribute value used in expression is not defined;"
                + " attribute value: "
                + token);
      }
      return value;
    }
  }

  private Expression(String text, Placeholders placeholders, ObjectNode item) throws Refusal {
    this.placeholders = placeholders;
    this.item = item;
    if (text.length() > MAX_BYTES) {
      throw Refusal.invalid(
          "Invalid expression: Expression size has exceeded the maximum allowed size; expression"
              + " size: "
              + text.length());
    }
    Matcher matcher = TOKEN.matcher(text);
    int end = 0;
    int operators = 0;
    while (matcher.lookingAt()) {
      tokens.add(matcher.group(1));
      operators += OPERATORS.contains(keyword(matcher.group(1))) ? 1 : 0;
      end = matcher.end();
      matcher.region(end, text.length());
    }
    if (!text.substring(end).isBlank()) {
      throw Refusal.invalid("Invalid expression: Syntax error; token: " + text.substring(end));
    }
    if (operators > MAX_OPERATORS) {
      throw Refusal.invalid(
          "Invalid expression: The expression contains too many operators; operator count: "
              + operators);
    }
  }

  private static String keyword(String token) {
    String upper = token.toUpperCase(Locale.ROOT);
    return Set.of("AND", "OR", "NOT", "BETWEEN", "IN").contains(upper) ? upper : token;
  }

  /** Returns whether a condition is true of an item. */
  static boolean isTrue(String condition, Placeholders placeholders, ObjectNode item)
      throws Refusal {
    Expression expression = new Expression(condition, placeholders, item);
    boolean result = expression.or();
    expression.expectEnd();
    return result;
  }

  /** Returns an item as it is after an update. */
  static ObjectNode updated(String update, Placeholders placeholders, ObjectNode item)
      throws Refusal {
    Expression expression = new Expression(update, placeholders, item);
    ObjectNode after = item.deepCopy();
    Set<String> touched = new HashSet<>();
    while (expression.next < expression.tokens.size()) {
      String clause = expression.take().toUpperCase(Locale.ROOT);
      do {
        String name = placeholders.name(expression.take());
        if (!touched.add(name)) {
          throw Refusal.invalid(
              "Invalid UpdateExpression: Two document paths overlap with each other;");
        }
        expression.apply(clause, name, after);
      } while (expression.takeIf(","));
    }
    return after;
  }

  private void apply(String clause, String name, ObjectNode after) throws Refusal {
    switch (clause) {
      case "SET" -> {
        expect("=");
        JsonNode value = operand();
        while (takeIf("+")) {
          JsonNode more = operand();
          if (value == null || more == null) {
            throw absent();
          }
          value = number(Values.number(value).add(Values.number(more)));
        }
        if (value == null) {
          throw absent();
        }
        after.set(name, value);
      }
      case "REMOVE" -> after.remove(name);
      case "ADD" -> {
        JsonNode more = placeholders.value(take());
        JsonNode before = item.get(name);
        BigDecimal sum = before == null ? BigDecimal.ZERO : Values.number(before);
        after.set(name, number(sum.add(Values.number(more))));
      }
      default -> throw Refusal.invalid("Invalid UpdateExpression: Syntax error; token: " + clause);
    }
  }

  private static Refusal absent() {
    return Refusal.invalid(
        "The provided expression refers to an attribute that does not exist in the item");
  }

  private static ObjectNode number(BigDecimal number) {
    return JsonNodeFactory.instance.objectNode().put("N", number.toPlainString());
  }

  private boolean or() throws Refusal {
    boolean result = and();
    while (takeIf("OR")) {
      // Both sides are read, whatever the first says.
      result |= and();
    }
    return result;
  }

  private boolean and() throws Refusal {
    boolean result = not();
    while (takeIf("AND")) {
      result &= not();
    }
    return result;
  }

  private boolean not() throws Refusal {
    if (takeIf("NOT")) {
      return !not();
    }
    if (takeIf("(")) {
      boolean result = or();
      expect(")");
      return result;
    }
    return predicate();
  }

  private boolean predicate() throws Refusal {
    String token = tokens.get(next);
    if (token.startsWith("attribute_")) {
      next++;
      expect("(");
      JsonNode value = item.get(placeholders.name(take()));
      boolean result =
          switch (token) {
            case "attribute_exists" -> value != null;
            case "attribute_not_exists" -> value == null;
            case "attribute_type" -> {
              expect(",");
              String type = placeholders.value(take()).path("S").asText();
              yield value != null && Values.type(value).equals(type);
            }
            default -> throw Refusal.invalid("Invalid expression: Invalid function: " + token);
          };
      expect(")");
      return result;
    }
    JsonNode left = operand();
    String operator = take().toUpperCase(Locale.ROOT);
    if (operator.equals("BETWEEN")) {
      JsonNode least = operand();
      expect("AND");
      // Read in any case: what comes after is another part of the expression.
      JsonNode most = operand();
      return isOrdered(">=", left, least) && isOrdered("<=", left, most);
    }
    return isOrdered(operator, left, operand());
  }

  private static boolean isOrdered(
      String operator, @Nullable JsonNode left, @Nullable JsonNode right) throws Refusal {
    OptionalInt order = Values.compare(left, right);
    return switch (operator) {
      case "=" -> Values.areEqual(left, right);
      case "<>" -> !Values.areEqual(left, right);
      case "<" -> order.isPresent() && order.getAsInt() < 0;
      case "<=" -> order.isPresent() && order.getAsInt() <= 0;
      case ">" -> order.isPresent() && order.getAsInt() > 0;
      case ">=" -> order.isPresent() && order.getAsInt() >= 0;
      default -> throw Refusal.invalid("Invalid expression: Syntax error; token: " + operator);
    };
  }

  private @Nullable JsonNode operand() throws Refusal {
    String token = take();
    if (token.equals("if_not_exists")) {
      expect("(");
      JsonNode stored = item.get(placeholders.name(take()));
      expect(",");
      JsonNode otherwise = operand();
      expect(")");
      return stored == null ? otherwise : stored;
    }
    return token.startsWith(":") ? placeholders.value(token) : item.get(placeholders.name(token));
  }

  private String take() throws Refusal {
    if (next >= tokens.size()) {
      throw Refusal.invalid("Invalid expression: Syntax error; token: <EOF>");
    }
    return tokens.get(next++);
  }

  private boolean takeIf(String token) {
    if (next < tokens.size() && tokens.get(next).equalsIgnoreCase(token)) {
      next++;
      return true;
    }
    return false;
  }

  private void expect(String token) throws Refusal {
    String found = take();
    if (!found.equalsIgnoreCase(token)) {
      throw Refusal.invalid("Invalid expression: Syntax error; token: " + found);
    }
  }

  private void expectEnd() throws Refusal {
    if (next < tokens.size()) {
      throw Refusal.invalid("Invalid expression: Syntax error; token: " + tokens.get(next));
    }
  }
}

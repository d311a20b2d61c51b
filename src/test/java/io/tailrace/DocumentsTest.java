package io.tailrace;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import io.tailrace.bus.Buses;
import io.tailrace.endpoint.Endpoint;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Kinds;
import io.tailrace.endpoint.Kinds.Driver;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.metrics.MetricsStores;
import io.tailrace.offline.FeatureTable;
import io.tailrace.offline.OfflineStores;
import io.tailrace.offline.OfflineTables;
import io.tailrace.online.OnlineStores;
import io.tailrace.parquet.QueryLog;
import io.tailrace.result.ValueType;
import io.tailrace.sql.Column;
import io.tailrace.sql.Key;
import io.tailrace.sql.Layout;
import io.tailrace.sql.Table;
import io.tailrace.testing.Features;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.Test;

/** What a page lists is what the code has: reasons, URIs and their parameters, columns. */
public class DocumentsTest {
  private static final Pattern NAME = Pattern.compile("`(\\w+)`");

  /** A class and a method. */
  private static final Pattern TEST = Pattern.compile("(?<=`)[A-Z]\\w+\\.[a-z]\\w*(?=`)");

  /** What stands there as a command: fenced, in no other language, or further in. */
  private static final Pattern COMMANDS =
      Pattern.compile("(?ms)^ *```(?:sh|bash|console)?\\n.*?^ *```|(?:^ {4}[^\\n]*\\n)+");

  private static final String QUOTES = "'[^']*'|\"[^\"]*\"|\\\\.";

  /** What a shell takes for one. */
  private static final Pattern WORD = Pattern.compile("(?s)(?:" + QUOTES + "|[^\\s'\"])+");

  private static final Pattern QUOTED = Pattern.compile("(?s)" + QUOTES);

  /** Each sort of endpoint and the page about its kinds. */
  private static final Map<Kinds<? extends Endpoint>, String> PAGES =
      Map.of(
          Buses.KINDS, "buses",
          OnlineStores.KINDS, "online-store",
          OfflineStores.KINDS, "offline-store",
          MetricsStores.KINDS, "metrics-store");

  @Test
  public void everyReasonForDeadLettersHasARow() throws Exception {
    List<String> declared =
        Arrays.stream(Reason.values())
            .filter(reason -> reason != Reason.UNRECOGNIZED)
            .filter(reason -> reason != Reason.REASON_UNSPECIFIED)
            .map(Reason::name)
            .toList();

    assertThat(firstColumn(page("buses"), "reason")).containsExactlyElementsIn(declared);
  }

  @Test
  public void everySchemeIsOnItsPage() throws Exception {
    for (Map.Entry<Kinds<? extends Endpoint>, String> each : PAGES.entrySet()) {
      for (Kind<?> kind : each.getKey().builtIn()) {
        for (String scheme : kind.schemes()) {
          assertWithMessage(each.getValue())
              .that(page(each.getValue()))
              .containsMatch("(?<![a-z+])" + Pattern.quote(scheme + "://"));
        }
      }
    }
  }

  @Test
  public void everyParameterIsOnItsPage() throws Exception {
    for (Map.Entry<Kinds<? extends Endpoint>, String> each : PAGES.entrySet()) {
      String page = page(each.getValue());

      assertWithMessage(each.getValue())
          .that(
              parameters(each.getKey()).stream()
                  // A name with a dot is a setting of a client library, whose page lists them.
                  .filter(parameter -> !parameter.contains("."))
                  .filter(
                      parameter ->
                          !Pattern.compile("[`?&]" + parameter + "[=`]").matcher(page).find())
                  .toList())
          .isEmpty();
    }
  }

  @Test
  public void noPageHasAParameterThatIsNone() throws Exception {
    for (Map.Entry<Kinds<? extends Endpoint>, String> each : PAGES.entrySet()) {
      Set<String> parameters = parameters(each.getKey());
      for (String documented : firstColumn(page(each.getValue()), "parameter")) {
        assertWithMessage(each.getValue())
            .that(parameters)
            .contains(documented.replaceFirst("=.*", ""));
      }
    }
  }

  @Test
  public void everyKindIsInTheTableOfWhatItNeeds() throws Exception {
    String page = page("library");
    for (Kinds<? extends Endpoint> kinds : PAGES.keySet()) {
      for (Kind<?> kind : kinds.builtIn()) {
        String needs =
            kind.driver().map(Driver::dependency).map(it -> "add `" + it + "`").orElse("nothing");
        assertThat(page)
            .containsMatch(
                "(?m)^\\| "
                    + kinds.noun()
                    + " \\| .*`"
                    + kind.schemes().get(0)
                    + "://.*\\| "
                    + needs);
      }
    }
  }

  @Test
  public void everyColumnOfTheQueryLogIsNamedInItsOrder() throws Exception {
    List<String> columns = QueryLog.CURRENT.columns().stream().map(QueryLog.Column::name).toList();

    assertThat(page("offline-store").replaceAll("\\s+", " "))
        .contains("`" + String.join(", ", columns) + "`");
  }

  @Test
  public void everyColumnOfAFeaturesTableIsNamedInItsOrder() throws Exception {
    Table table =
        OfflineTables.of(
            new FeatureTable(Features.of("user.age"), true, Optional.of(ValueType.INT64)),
            Key.NONE,
            Layout.PLAIN);
    String rows = page("offline-store");
    rows = rows.substring(rows.indexOf("| column | |"));
    rows = rows.substring(0, rows.indexOf("\n\n"));
    List<String> named =
        rows.lines()
            .map(row -> row.split("\\|", -1)[1])
            .flatMap(cell -> NAME.matcher(cell).results())
            .map(found -> found.group(1))
            .toList();

    assertThat(named)
        .containsExactlyElementsIn(table.columns().stream().map(Column::name).toList())
        .inOrder();
  }

  @Test
  public void everyTestThatTheReliabilityPageNamesIsThere() throws Exception {
    List<String> named =
        page("reliability")
            .lines()
            .filter(line -> line.startsWith("|"))
            .map(line -> line.split("\\|", -1))
            .map(cells -> cells[cells.length - 2])
            .flatMap(cell -> TEST.matcher(cell).results())
            .map(MatchResult::group)
            .toList();
    Map<String, String> tests = new HashMap<>();
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      for (Path file : files.filter(it -> it.toString().endsWith(".java")).toList()) {
        tests.put(file.getFileName().toString().replace(".java", ""), Files.readString(file));
      }
    }

    assertThat(
            named.stream()
                .filter(
                    test -> {
                      String[] parts = test.split("\\.", -1);
                      return !tests.getOrDefault(parts[0], "").contains("void " + parts[1] + "(");
                    })
                .toList())
        .isEmpty();
  }

  private static Set<String> parameters(Kinds<? extends Endpoint> kinds) {
    Set<String> parameters = new TreeSet<>();
    for (Kind<?> kind : kinds.builtIn()) {
      for (String scheme : kind.schemes()) {
        EndpointUri uri = EndpointUri.parse(scheme + "://host/name");
        try {
          var unused = kind.factory().apply(uri);
        } catch (IllegalArgumentException e) {
          // What it asked for is known all the same.
          assertThat(e).hasMessageThat().contains("Example: ");
        }
        parameters.addAll(uri.known());
      }
    }
    return parameters;
  }

  @Test
  public void everyCommandCanBePastedIntoAShell() throws Exception {
    List<String> unquoted = new ArrayList<>();
    try (Stream<Path> pages =
        Stream.of("docs", "templates", "README.md", "CONTRIBUTING.md")
            .map(Path::of)
            .flatMap(DocumentsTest::pagesIn)) {
      for (Path page : pages.toList()) {
        matches(COMMANDS, Files.readString(page))
            .flatMap(block -> matches(WORD, block))
            .filter(word -> word.startsWith("--"))
            .filter(word -> QUOTED.matcher(word).replaceAll("").matches("(?s).*=.*[?&].*"))
            .forEach(word -> unquoted.add(page + ": " + word));
      }
    }
    assertWithMessage("a shell takes ? and & for its own: quote the URI").that(unquoted).isEmpty();
  }

  private static Stream<Path> pagesIn(Path directory) {
    try (Stream<Path> all = Files.walk(directory)) {
      return all.filter(each -> each.toString().endsWith(".md")).toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Stream<String> matches(Pattern pattern, String text) {
    return pattern.matcher(text).results().map((MatchResult each) -> each.group());
  }

  /** Returns the names in the first column of the tables under a heading. */
  private static List<String> firstColumn(String page, String heading) {
    List<String> names = new ArrayList<>();
    boolean inside = false;
    for (String line : page.lines().toList()) {
      if (line.startsWith("| " + heading + " |")) {
        inside = true;
      } else if (!line.startsWith("|")) {
        inside = false;
      } else if (inside) {
        Pattern.compile("`([^`]+)`")
            .matcher(line.substring(0, line.indexOf('|', 1)))
            .results()
            .map((MatchResult name) -> name.group(1))
            .forEach(names::add);
      }
    }
    return names;
  }

  private static String page(String name) throws IOException {
    return Files.readString(Path.of("docs", name + ".md"));
  }
}

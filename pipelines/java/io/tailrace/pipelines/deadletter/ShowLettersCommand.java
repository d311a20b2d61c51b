package io.tailrace.pipelines.deadletter;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.BusLog;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import io.tailrace.online.OnlineReader;
import io.tailrace.pipelines.BucketOptions;
import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.RunningStack;
import io.tailrace.pipelines.local.SqlEndpoint;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Explains letters. */
@Command(
    name = "show",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    modelTransformer = BucketOptions.class,
    description =
        "Explains letters: the field that was refused, what is there and what was expected; of a"
            + " cell its feature and its entity; of a Parquet file its columns. Where a table was"
            + " at fault, with --offlineStore, how it is now, and whether a replay would succeed;"
            + " of a cell on its way to the online store, with --onlineStore, what is there now.",
    exitCodeListHeading = "%nExit codes:%n",
    exitCodeList = {
      "0:letters were shown",
      "1:no letter that was chosen waits, or the bus can't be read",
      "2:wrong use"
    })
final class ShowLettersCommand implements Callable<Integer> {
  private static final ObjectMapper JSON = new ObjectMapper();

  @Mixin private LetterTopic topic = new LetterTopic();
  @Mixin private LetterChoice choice = new LetterChoice();

  @Option(
      names = "--offlineStore",
      paramLabel = "URI",
      description =
          "The offline store, as the writers have it. Default: that of the 'local' that was started"
              + " last on this machine.")
  private @Nullable String offlineStore;

  @Option(
      names = "--onlineStore",
      paramLabel = "URI",
      description =
          "The online store, as the online writer has it. Default: that of the 'local' that was"
              + " started last on this machine.")
  private @Nullable String onlineStore;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "10",
      description = "Show this many letters at most. Default: ${DEFAULT-VALUE}.")
  private int limit = 10;

  @Option(names = "--json", description = "Show each as a line of JSON.")
  private boolean json;

  @Spec private CommandSpec spec = CommandSpec.create();

  @Override
  public Integer call() throws CommandException {
    if (limit < 1) {
      throw new ParameterException(spec.commandLine(), "--limit must be 1 or more, not " + limit);
    }
    LetterContents contents = topic.contents();
    Optional<TablesNow> tables = store().map(TablesNow::new);
    List<StoredLetter> chosen = new ArrayList<>();
    try (OnlineReader entities = entities();
        BusLog log = topic.bus().log(BusLog.Use.LOOK)) {
      LetterExplanation explanation =
          new LetterExplanation(
              contents, tables, Optional.ofNullable(entities).map(EntitiesNow::new));
      WaitingLetters letters = choice.waiting(log);
      letters.read(
          letter -> choice.takes(letter, contents),
          new WaitingLetters.Visitor() {
            @Override
            public boolean waiting(StoredLetter letter) throws UnavailableException {
              show(explanation, letter);
              return chosen.add(letter.withoutValue());
            }

            @Override
            public boolean isDone() {
              return chosen.size() >= limit;
            }
          });
      if (chosen.isEmpty()) {
        List<String> why = new ArrayList<>(choice.whyNone(letters, contents));
        why.add(0, "No letter waits that was chosen; 'dead-letters list' says what there is");
        throw new CommandException(String.join(System.lineSeparator(), why));
      }
    } catch (UnavailableException | IllegalStateException e) {
      throw new CommandException(String.valueOf(e.getMessage()), e);
    }
    return 0;
  }

  private void show(LetterExplanation explanation, StoredLetter letter)
      throws UnavailableException {
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      try {
        out.println(JSON.writeValueAsString(explanation.facts(letter)));
      } catch (JsonProcessingException e) {
        throw new UnavailableException(
            letter.position() + " can't be written as JSON: " + e.getMessage(), e);
      }
    } else {
      explanation.lines(letter).forEach(out::println);
      out.println();
    }
    out.flush();
  }

  private Optional<TablesNow.Store> store() throws CommandException {
    if (offlineStore != null) {
      String uri = offlineStore;
      try {
        OfflineStore store = OfflineStores.at(uri);
        return Optional.of(store(store, store.reader()::query));
      } catch (IllegalArgumentException e) {
        throw new CommandException("--offlineStore: " + e.getMessage(), e);
      }
    }
    return topic
        .running()
        .flatMap(RunningStack::sql)
        .map(
            sql ->
                store(
                    OfflineStores.at(sql.offlineStore()),
                    (text, most) -> SqlEndpoint.query(sql, text, most)));
  }

  private @Nullable OnlineReader entities() throws CommandException {
    String uri =
        onlineStore == null
            ? topic
                .running()
                .map(RunningStack::onlineStore)
                .filter(it -> !it.isEmpty())
                .orElse(null)
            : onlineStore;
    try {
      return uri == null ? null : OnlineReader.open(uri);
    } catch (IllegalArgumentException e) {
      throw new CommandException("--onlineStore: " + e.getMessage(), e);
    }
  }

  private interface Query {
    OfflineReader.Table run(String sql, int limit) throws UnavailableException;
  }

  private static TablesNow.Store store(OfflineStore store, Query query) {
    return new TablesNow.Store() {
      @Override
      public OfflineReader.Table query(String sql, int limit) throws UnavailableException {
        return query.run(sql, limit);
      }

      @Override
      public Optional<String> columnsOf(String environment, String table) {
        return store.columnsOf(environment, table);
      }
    };
  }
}

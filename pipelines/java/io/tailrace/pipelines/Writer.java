package io.tailrace.pipelines;

import io.tailrace.endpoint.Kinds;
import io.tailrace.stage.Failure;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.options.PipelineOptions;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.Flatten;
import org.apache.beam.sdk.transforms.windowing.DefaultTrigger;
import org.apache.beam.sdk.transforms.windowing.GlobalWindows;
import org.apache.beam.sdk.transforms.windowing.Window;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionList;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A pipeline that carries messages from a bus to where they belong, and a program of its own. It
 * does what all writers do: it parses options and says at once everything that is wrong with them,
 * asks the buses and stores, starts, and publishes what its stages could not do as dead letters. A
 * writer says only what is its own, in one class, and is listed in {@link Writers}.
 *
 * <p>Immutable.
 *
 * @param <O> what its last stage puts out of each message: what it did
 */
public final class Writer<O> {
  /**
   * Finds out what a writer's options mean.
   *
   * @param <T> the options
   * @param <P> what they mean
   */
  public interface Parser<T, P> {
    /**
     * Looks at every option. Called with the defaults alone, to see which buses and stores the
     * writer needs; so it does nothing but look.
     *
     * @return what is called when all options are right and all buses and stores were asked; it may
     *     find more problems
     */
    Supplier<P> parse(T options, OptionCheck check);
  }

  /**
   * Builds a writer's pipeline.
   *
   * @param <P> what the writer's options mean
   * @param <O> what its last stage puts out
   */
  public interface Builder<P, O> {
    /** Applies the stages from the source on; their failures go to {@link WriterStart#failures}. */
    PCollection<O> build(WriterStart start, P options);
  }

  private static final Logger LOG = LoggerFactory.getLogger(Writer.class);

  private interface Assembly<O> {
    Pipeline assemble(Writer<O> writer, Consumer<PCollection<O>> watcher, String... args)
        throws CommandException;
  }

  private interface Look<O> {
    Supplier<?> look(Writer<O> writer, PipelineOptions given, OptionCheck check);
  }

  private final Draft<?> draft;
  private final Assembly<O> assembly;
  private final Look<O> look;

  private Writer(Draft<?> draft, Assembly<O> assembly, Look<O> look) {
    this.draft = draft;
    this.assembly = assembly;
    this.look = look;
  }

  /**
   * Describes a writer.
   *
   * @param name its consumer group, and the addressee of messages that are replayed for it
   * @param options its options
   */
  public static <T extends WriterOptions> Draft<T> named(String name, Class<T> options) {
    return new Draft<>(name, options);
  }

  /** Returns its name: its consumer group, and the addressee of messages replayed for it. */
  public String name() {
    return draft.name;
  }

  /** Returns the class whose {@code main} method runs it. */
  public Class<?> program() {
    return draft.program;
  }

  /** Says in one sentence what it does. */
  public String says() {
    return draft.says;
  }

  /** Returns the name of the option that names the bus that it reads. */
  public String reads() {
    return draft.reads;
  }

  /** Returns whether two at once would count everything twice. */
  public boolean isAlone() {
    return draft.alone;
  }

  /** Returns the name of the stage whose counters tell what it does. */
  public String stage() {
    return draft.stage;
  }

  /** Returns which counter of the stage counts the messages that it has dealt with. */
  public String settled() {
    return draft.settled;
  }

  /** Returns which counter of the stage counts what it made of them. */
  public String made() {
    return draft.made;
  }

  /** Returns its options, beside those of Beam and of the runner. */
  public Class<? extends WriterOptions> options() {
    return draft.options;
  }

  /** Returns whether it has an option of this name, beside those of Beam and of the runner. */
  public boolean takes(String option) {
    String getter = "get" + Character.toUpperCase(option.charAt(0)) + option.substring(1);
    return Arrays.stream(draft.options.getMethods())
        .anyMatch(method -> method.getName().equals(getter));
  }

  /**
   * Returns the options that name a bus or a store, each of which it needs, with the kinds there
   * are: first the bus that it reads and the one for dead letters.
   */
  public Map<String, Kinds<?>> endpoints() {
    return lookAtDefaults().endpoints();
  }

  /** Looks at the defaults alone; nearly all is missing, but what there is has been seen. */
  OptionCheck lookAtDefaults() {
    OptionCheck check = new OptionCheck();
    var unused = look(PipelineOptionsFactory.create(), check);
    return check;
  }

  /**
   * Returns everything that is wrong with arguments, a sentence each, as far as that can be told
   * without asking buses and stores.
   *
   * @param args Beam pipeline options
   */
  public List<String> problems(String... args) {
    try {
      OptionCheck check = new OptionCheck();
      var unused = look(BeamOptions.parse(draft.options, draft.gathers, args), check);
      check.finish();
      return List.of();
    } catch (CommandException e) {
      return e.getMessage().lines().toList();
    }
  }

  /** Looks at options without starting; returns what gives their meaning when all are right. */
  Supplier<?> look(PipelineOptions given, OptionCheck check) {
    return look.look(this, given, check);
  }

  /** Runs it as a program of its own, until it is cancelled; see {@link #run}. */
  void runAsProgram(String... args) {
    int status = run(System.out, System.err, args);
    if (status != 0) {
      ProgramExit.with(status);
    }
  }

  /**
   * Runs it until it ends; on Dataflow, and detached on Flink, only starts it.
   *
   * @return the program's exit code: 0, 1 if it has ended although nobody stopped it, or 2 if it
   *     can't be started as the arguments say
   */
  public int run(PrintStream out, PrintStream err, String... args) {
    if (Arrays.stream(args).anyMatch(List.of("--help", "-h", "help")::contains)) {
      WriterHelp.print(out, this);
      return 0;
    }
    try {
      Pipeline pipeline = assembly.assemble(this, outcomes -> {}, args);
      return JobEnd.await(name(), pipeline.getOptions(), run(pipeline), out, err);
    } catch (CommandException e) {
      e.getMessage().lines().forEach(line -> err.println(name() + ": " + line));
      err.println("Try '" + name() + " --help'.");
      return 2;
    }
  }

  /**
   * Checks the options, the buses and the stores, and starts it.
   *
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public PipelineResult start(String... args) throws CommandException {
    return start(outcomes -> {}, args);
  }

  /**
   * Starts it with somebody to watch it.
   *
   * @param watcher gets what the last stage puts out, and may apply transforms to it
   * @param args Beam pipeline options
   * @throws CommandException with everything that is wrong
   */
  public PipelineResult start(Consumer<PCollection<O>> watcher, String... args)
      throws CommandException {
    return run(assembly.assemble(this, watcher, args));
  }

  private static PipelineResult run(Pipeline pipeline) throws CommandException {
    return RunnerRefusals.toldBy(pipeline.getOptions(), pipeline::run);
  }

  @Override
  public String toString() {
    return name();
  }

  /**
   * The description of a writer, as far as it has come. Not thread-safe.
   *
   * @param <T> the writer's options
   */
  public static final class Draft<T extends WriterOptions> {
    private final String name;
    private final Class<T> options;
    private Class<?> program = Writer.class;
    private String says = "";
    private String reads = "";
    private Function<T, @Nullable String> source = given -> null;
    private boolean gathers;
    private boolean alone;
    private String stage = "";
    private String settled = "";
    private String made = "";

    private Draft(String name, Class<T> options) {
      this.name = name;
      this.options = options;
    }

    /** Names the class whose {@code main} method runs the writer, for those who start that. */
    public Draft<T> program(Class<?> main) {
      program = main;
      return this;
    }

    /** Says in one sentence what the writer does. */
    public Draft<T> says(String sentence) {
      says = sentence;
      return this;
    }

    /** Names the option that names the bus to read. */
    public Draft<T> reads(String option, Function<T, @Nullable String> uri) {
      reads = option;
      source = uri;
      return this;
    }

    /** Has a runner give it many messages at a time, as its store is the faster for that. */
    public Draft<T> gathers() {
      gathers = true;
      return this;
    }

    /** Has it wait, when it starts, until no other job of its group reads any more. */
    public Draft<T> alone() {
      alone = true;
      return this;
    }

    /**
     * Says which counters tell how far it is.
     *
     * @param inStage the stage that they are of
     * @param messages counts the messages that were dealt with
     * @param made counts what was made of them
     */
    public Draft<T> settles(String inStage, String messages, String made) {
      stage = inStage;
      settled = messages;
      this.made = made;
      return this;
    }

    /** Says what the options mean and which stages there are, and so completes the writer. */
    public <P, O> Writer<O> with(Parser<T, P> parser, Builder<P, O> builder) {
      return new Writer<>(
          this,
          (writer, watcher, args) -> assemble(writer, parser, builder, watcher, args),
          (writer, given, check) -> {
            T own = given.as(options);
            var unused = WriterBuses.parse(writer, source.apply(own), own, check);
            return parser.parse(own, check);
          });
    }

    /** A stage may be one that works by the minute; a letter belongs to no minute. */
    private static Window<Failure> unwindowed() {
      return Window.<Failure>into(new GlobalWindows())
          .triggering(DefaultTrigger.of())
          .discardingFiredPanes()
          .withAllowedLateness(org.joda.time.Duration.ZERO);
    }

    private <P, O> Pipeline assemble(
        Writer<O> writer,
        Parser<T, P> parser,
        Builder<P, O> builder,
        Consumer<PCollection<O>> watcher,
        String... args)
        throws CommandException {
      T given = BeamOptions.parse(options, gathers, args);
      OptionCheck check = new OptionCheck();
      Supplier<WriterBuses> buses = WriterBuses.parse(writer, source.apply(given), given, check);
      Supplier<P> own = parser.parse(given, check);
      DataflowCheck.look(writer, given, check);
      check.finish();
      check.ask();
      WriterBuses asked = buses.get();
      P parsed = own.get();
      check.finish();
      check.warnings().forEach(warning -> LOG.warn("{}: {}", name, warning));

      Pipeline pipeline = RunnerRefusals.toldBy(given, () -> Pipeline.create(given));
      List<PCollection<Failure>> failures = new ArrayList<>();
      watcher.accept(
          builder.build(
              new WriterStart(
                  pipeline,
                  asked.source().read(name),
                  asked.source().group(name),
                  WriterOptions.environments(given),
                  failures),
              parsed));
      List<PCollection<Failure>> all = new ArrayList<>();
      for (int i = 0; i < failures.size(); i++) {
        all.add(failures.get(i).apply("Failures" + i, unwindowed()));
      }
      PCollectionList.of(all)
          .apply("Failures", Flatten.pCollections())
          .apply("DeadLetters", asked.deadLetters());
      return pipeline;
    }
  }
}

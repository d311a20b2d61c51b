package io.tailrace.testing;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.BusReading;
import io.tailrace.bus.PresentBuses;
import io.tailrace.pipelines.local.servers.LocalFlink;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;

/** A pipeline that reads a bus and notes every message that comes, for the thread of a test. */
public final class ReadBus {
  private static final Duration PATIENCE = Duration.ofMinutes(4);
  private static final AtomicInteger NUMBER = new AtomicInteger();
  // The pipeline runs in this JVM, on either runner, and only static fields are in common with it.
  private static final Map<Integer, List<BusMessage>> READ = new ConcurrentHashMap<>();

  private static final Map<Integer, Set<String>> THREADS = new ConcurrentHashMap<>();

  private final int number;
  private final PipelineResult result;

  private ReadBus(int number, PipelineResult result) {
    this.number = number;
    this.result = result;
  }

  /** Starts it; where nothing is said of a runner, on the direct runner. */
  public static ReadBus start(Bus bus, String group, String... arguments) {
    return start(bus, group, false, arguments);
  }

  /** Starts one whose every bundle fails behind the message that it has noted. */
  public static ReadBus startFailing(Bus bus, String group, String... arguments) {
    return start(bus, group, true, arguments);
  }

  private static ReadBus start(Bus bus, String group, boolean fails, String... arguments) {
    int number = NUMBER.incrementAndGet();
    READ.put(number, new CopyOnWriteArrayList<>());
    PipelineOptionsFactory.register(PresentBuses.Options.class);
    PipelineOptionsFactory.register(BusReading.Options.class);
    Pipeline pipeline =
        Pipeline.create(
            PipelineOptionsFactory.fromArgs(
                    Stream.concat(Stream.of("--blockOnRun=false"), Arrays.stream(arguments))
                        .toArray(String[]::new))
                .create());
    pipeline.apply("Read", bus.read(group)).apply("Note", ParDo.of(new NoteFn(number, fails)));
    return new ReadBus(number, pipeline.run());
  }

  /** Starts it on Flink, with these settings and no others. */
  public static ReadBus startOn(LocalFlink flink, Bus bus, String group, String... arguments) {
    List<String> all = new ArrayList<>(flink.pipelineArguments());
    all.add("--finishBundleBeforeCheckpointing=true");
    all.addAll(List.of(arguments));
    return start(bus, group, false, all.toArray(String[]::new));
  }

  /** Returns how many threads have read something. */
  public int readers() {
    return THREADS.getOrDefault(number, Set.of()).size();
  }

  /** Returns what has come so far. */
  public List<BusMessage> messages() {
    return READ.get(number);
  }

  /** Returns the messages when so many have come, or more. */
  public List<BusMessage> await(int count) throws InterruptedException {
    Instant end = Instant.now().plus(PATIENCE);
    while (messages().size() < count) {
      if (Instant.now().isAfter(end)) {
        throw new AssertionError(messages().size() + " of " + count + " messages have come");
      }
      Thread.sleep(20);
    }
    return messages();
  }

  /** Ends a pipeline on the direct runner. */
  public void cancel() throws IOException {
    result.cancel();
  }

  private static final class NoteFn extends DoFn<BusMessage, Void> {
    private static final long serialVersionUID = 1;

    private final int number;
    private final boolean fails;

    NoteFn(int number, boolean fails) {
      this.number = number;
      this.fails = fails;
    }

    @ProcessElement
    public void note(@Element BusMessage message) {
      READ.get(number).add(message);
      THREADS
          .computeIfAbsent(number, any -> ConcurrentHashMap.newKeySet())
          .add(Thread.currentThread().getName());
      if (fails) {
        throw new IllegalStateException("told to fail");
      }
    }
  }
}

package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.Buses;
import io.tailrace.bus.Place;
import io.tailrace.testing.WriterJvm;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Optional;

/**
 * Replays letters until it has sent two batches, of which the second is not settled yet: then its
 * JVM is gone.
 */
final class HaltingReplay {
  private HaltingReplay() {}

  /** Replays the letters of a URI. */
  public static void main(String[] args) throws Exception {
    Bus bus = Buses.at(args[0]);
    LetterContents contents = new LetterContents(Optional.empty());
    BusLog log = halting(bus.log(BusLog.Use.SETTLE));
    try (Stopping stopping = Stopping.onSignal();
        LetterReplay replay =
            new LetterReplay(
                new ReplayDoor(bus, Optional.empty(), Duration.ofDays(14), contents),
                contents,
                log,
                new LetterReplay.Listener() {
                  @Override
                  public void replayed(StoredLetter letter, Bus to, Optional<Place> place) {}

                  @Override
                  public void stays(StoredLetter letter, String why) {}
                },
                stopping)) {
      var unused = replay.run(WaitingLetters.of(log), letter -> true, 1_000_000, Long.MAX_VALUE);
    }
    throw new AssertionError("it should have been halted");
  }

  private static BusLog halting(BusLog log) {
    int[] flushes = {0};
    return (BusLog)
        Proxy.newProxyInstance(
            BusLog.class.getClassLoader(),
            new Class<?>[] {BusLog.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("flush") && ++flushes[0] == 2) {
                Runtime.getRuntime().halt(WriterJvm.HALTED);
              }
              try {
                return method.invoke(log, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            });
  }
}

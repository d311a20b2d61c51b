package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/**
 * Sends letters back, one after the other: at most a batch of their positions is in memory, and as
 * much of them as a producer has. What the bus has confirmed is settled before the next batch
 * begins, so that a replay which was stopped, whatever stopped it, is taken up by another one. Not
 * thread-safe.
 */
final class LetterReplay implements AutoCloseable {
  /** A batch is settled so often, however slow a replay is. */
  private static final Duration SETTLE_EVERY = Duration.ofSeconds(1);

  /** Hears of what was done. */
  interface Listener {
    /** A letter was sent, and is at a place of a bus, if that tells. */
    void replayed(StoredLetter letter, Bus bus, Optional<Place> place);

    /** A letter can't be sent, as its bytes can't be read. */
    void unreadable(StoredLetter letter, String why);
  }

  private record Sent(
      StoredLetter letter, LetterIdentity identity, Bus bus, AtomicReference<Place> place) {}

  private record Copy(Place place, LetterIdentity identity) {}

  private final ReplayDoor door;
  private final LetterContents contents;
  private final SettledBatch batch;
  private final Listener listener;
  private final Stopping stopping;
  private final Map<String, BusPublisher> publishers = new HashMap<>();
  private final List<Sent> sent = new ArrayList<>();
  private final List<Copy> copies = new ArrayList<>();
  private long count;
  private long settledAt = System.nanoTime();

  LetterReplay(
      ReplayDoor door,
      LetterContents contents,
      SettledBatch batch,
      Listener listener,
      Stopping stopping) {
    this.door = door;
    this.contents = contents;
    this.batch = batch;
    this.listener = listener;
    this.stopping = stopping;
  }

  /**
   * Replays.
   *
   * @param rate how many a second at most
   * @param limit how many at most
   * @return whether all were, or as many as were wanted, as nobody has stopped it
   */
  boolean run(WaitingLetters letters, Predicate<StoredLetter> chosen, double rate, long limit)
      throws UnavailableException {
    long start = System.nanoTime();
    letters.read(
        chosen,
        new WaitingLetters.Visitor() {
          @Override
          public boolean waiting(StoredLetter letter) throws UnavailableException {
            return door.refusal(letter).isEmpty() && isDue(start, rate) && send(letter);
          }

          @Override
          public void repeated(StoredLetter letter) throws UnavailableException {
            copies.add(new Copy(letter.message().place(), LetterIdentity.of(letter)));
            settleSometimes();
          }

          @Override
          public boolean isDone() {
            return count >= limit || stopping.isAsked();
          }
        });
    settle();
    return !stopping.isAsked();
  }

  /** Returns how many were sent. */
  long count() {
    return count;
  }

  /** Waits for the moment of the next letter; returns whether nobody has asked for the end. */
  private boolean isDue(long start, double rate) throws UnavailableException {
    long early = start + (long) (count / rate * 1e9) - System.nanoTime();
    if (early > SETTLE_EVERY.toNanos()) {
      settle();
    }
    return early > 0 ? !stopping.isAskedWithin(Duration.ofNanos(early)) : !stopping.isAsked();
  }

  private boolean send(StoredLetter letter) throws UnavailableException {
    OutgoingMessage message;
    try {
      message = contents.addressed(letter);
    } catch (UnavailableException e) {
      listener.unreadable(letter, String.valueOf(e.getMessage()));
      return false;
    }
    Bus bus = door.bus(letter).orElseThrow();
    BusPublisher publisher = publishers.computeIfAbsent(bus.name(), it -> bus.publisher());
    Sent one =
        new Sent(letter.withoutValue(), LetterIdentity.of(letter), bus, new AtomicReference<>());
    publisher.publish(message, one.place::set);
    sent.add(one);
    count++;
    settleSometimes();
    return true;
  }

  private void settleSometimes() throws UnavailableException {
    if (sent.size() + copies.size() >= SettledBatch.LETTERS
        || System.nanoTime() - settledAt > SETTLE_EVERY.toNanos()) {
      settle();
    }
  }

  private void settle() throws UnavailableException {
    for (BusPublisher each : publishers.values()) {
      each.flush();
    }
    for (Sent each : sent) {
      Optional<Place> place = Optional.ofNullable(each.place.get());
      batch.add(
          each.letter.message().place(),
          each.identity,
          SettledLetters.How.REPLAYED,
          each.bus.name() + place.map(it -> " " + StoredLetter.position(it)).orElse(""));
    }
    for (Copy copy : copies) {
      batch.add(copy.place, copy.identity, SettledLetters.How.REPEATED, "");
    }
    batch.settle();
    sent.forEach(
        each -> listener.replayed(each.letter, each.bus, Optional.ofNullable(each.place.get())));
    sent.clear();
    copies.clear();
    settledAt = System.nanoTime();
  }

  @Override
  public void close() {
    publishers.values().forEach(BusPublisher::close);
  }
}

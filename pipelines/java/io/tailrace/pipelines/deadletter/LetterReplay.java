package io.tailrace.pipelines.deadletter;

import io.tailrace.bus.Bus;
import io.tailrace.bus.BusLog;
import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.bus.RefusedMessageException;
import io.tailrace.endpoint.UnavailableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Predicate;

/**
 * Sends letters back, a batch after the other, of so many letters and bytes at most. What the bus
 * has confirmed is settled before the next batch begins, in one transaction with it where the bus
 * has some, so that a replay which was stopped, whatever stopped it, is taken up by another one.
 * Not thread-safe.
 */
final class LetterReplay implements AutoCloseable {
  /** A batch is settled so often, however slow a replay is. */
  private static final Duration SETTLE_EVERY = Duration.ofSeconds(1);

  /** Letters that are settled at once: so many may be sent twice where a machine dies. */
  static final int BATCH_LETTERS = 500;

  /** And so much of them is in memory, but for a letter that is larger. */
  private static final long BATCH_BYTES = 8L << 20;

  /** Hears of what was done. */
  interface Listener {
    /** A letter was sent, and is at a place of a bus, if that tells. */
    void replayed(StoredLetter letter, Bus bus, Optional<Place> place);

    /** A letter stays, as its bytes can't be read, or the bus does not take them. */
    void stays(StoredLetter letter, String why);
  }

  private record Sent(
      StoredLetter letter,
      LetterIdentity identity,
      Bus bus,
      OutgoingMessage message,
      AtomicReference<Place> place) {}

  private record Copy(Place place, LetterIdentity identity) {}

  private final ReplayDoor door;
  private final LetterContents contents;
  private final BusLog log;
  private final Listener listener;
  private final Stopping stopping;
  private final Map<String, BusPublisher> publishers = new HashMap<>();
  private final List<Sent> sent = new ArrayList<>();
  private final List<Copy> copies = new ArrayList<>();
  // Their copies stay, too.
  private final Set<LetterIdentity> refused = new HashSet<>();
  private long count;
  private long bytes;
  private long settledAt = System.nanoTime();

  LetterReplay(
      ReplayDoor door, LetterContents contents, BusLog log, Listener listener, Stopping stopping) {
    this.door = door;
    this.contents = contents;
    this.log = log;
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
      listener.stays(letter, String.valueOf(e.getMessage()));
      return false;
    }
    sent.add(
        new Sent(
            letter.withoutValue(),
            LetterIdentity.of(letter),
            door.bus(letter).orElseThrow(),
            message,
            new AtomicReference<>()));
    count++;
    bytes += message.bytes().length;
    settleSometimes();
    return true;
  }

  private void settleSometimes() throws UnavailableException {
    if (sent.size() + copies.size() >= BATCH_LETTERS
        || bytes >= BATCH_BYTES
        || System.nanoTime() - settledAt > SETTLE_EVERY.toNanos()) {
      settle();
    }
  }

  private void settle() throws UnavailableException {
    deliver(List.copyOf(sent));
    if (!copies.isEmpty()) {
      for (Copy copy : copies) {
        if (!refused.contains(copy.identity)) {
          note(copy.place, copy.identity, SettledLetters.How.REPEATED, "");
        }
      }
      log.flush();
    }
    sent.clear();
    copies.clear();
    bytes = 0;
    settledAt = System.nanoTime();
  }

  /** Sends some letters and settles them, but for those that the bus does not take. */
  private void deliver(List<Sent> batch) throws UnavailableException {
    if (batch.isEmpty()) {
      return;
    }
    try {
      publish(batch);
    } catch (RefusedMessageException e) {
      withoutRefused(afterFailure(batch), e);
      return;
    } catch (UnavailableException e) {
      var unused = afterFailure(batch);
      throw e;
    }
    note(batch);
  }

  /**
   * Sends the rest of some letters of which one is refused. Where the bus does not say which, the
   * half of them that has it is found, and the half of that, until it is alone.
   */
  private void withoutRefused(List<Sent> rest, RefusedMessageException e)
      throws UnavailableException {
    Optional<Sent> one =
        rest.size() == 1
            ? Optional.of(rest.get(0))
            : rest.stream().filter(each -> e.isOf(each.message)).findFirst();
    if (one.isPresent()) {
      refuse(one.get(), e.getMessage());
      deliver(rest.stream().filter(each -> !each.equals(one.get())).toList());
    } else if (!rest.isEmpty()) {
      deliver(rest.subList(0, rest.size() / 2));
      deliver(rest.subList(rest.size() / 2, rest.size()));
    }
  }

  private void refuse(Sent letter, String why) {
    count--;
    refused.add(letter.identity);
    listener.stays(letter.letter, why);
  }

  /** All of a batch at once: nobody is shown what comes behind it before it is committed. */
  private void publish(List<Sent> batch) throws UnavailableException {
    for (Sent each : batch) {
      publishers
          .computeIfAbsent(each.bus.name(), it -> log.publisher(each.bus))
          .publish(each.message, each.place::set);
    }
    for (BusPublisher each : publishers.values()) {
      each.flush();
    }
  }

  /** Returns what of a batch is not sent; where some is and can't be taken back, it is settled. */
  private List<Sent> afterFailure(List<Sent> batch) throws UnavailableException {
    for (BusPublisher each : publishers.values()) {
      try {
        each.flush();
      } catch (UnavailableException e) {
        // It is known already. What the bus has told of the others is known now.
      }
    }
    close();
    publishers.clear();
    if (log.takeBack()) {
      batch.forEach(each -> each.place.set(null));
      return batch;
    }
    note(batch.stream().filter(each -> each.place.get() != null).toList());
    return batch.stream().filter(each -> each.place.get() == null).toList();
  }

  private void note(List<Sent> delivered) throws UnavailableException {
    if (delivered.isEmpty()) {
      return;
    }
    for (Sent each : delivered) {
      Optional<Place> place = Optional.ofNullable(each.place.get());
      note(
          each.letter.message().place(),
          each.identity,
          SettledLetters.How.REPLAYED,
          each.bus.name() + place.map(it -> " " + StoredLetter.position(it)).orElse(""));
    }
    log.flush();
    delivered.forEach(
        each -> listener.replayed(each.letter, each.bus, Optional.ofNullable(each.place.get())));
  }

  private void note(Place letter, LetterIdentity identity, SettledLetters.How how, String to)
      throws UnavailableException {
    log.note(letter, SettledLetters.record(letter, identity, how, to));
  }

  @Override
  public void close() {
    publishers.values().forEach(BusPublisher::close);
  }
}

package io.tailrace.bus.pubsub;

import io.tailrace.bus.BusPublisher;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.bus.Place;
import io.tailrace.bus.RefusedMessageException;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;

/**
 * Publishes to a topic, many messages at a time and several times at once. A request that got no
 * answer is sent again, so a message may come twice; it never comes in parts.
 */
final class PubSubPublisher implements BusPublisher {
  /**
   * The most that a message's payload, key and headers may take together. Pub/Sub takes 10 MB; the
   * payload is base64 in a request, a third more, and an attribute may grow where it is quoted.
   */
  static final int MAX_MESSAGE_BYTES = 7_000_000;

  /** Pub/Sub's own limits of a request. */
  private static final int MAX_REQUEST_BYTES = 10_000_000;

  private static final int MAX_REQUEST_MESSAGES = 1_000;

  /** More in one request would gain nothing. */
  private static final int ENOUGH_BYTES = 1 << 20;

  /**
   * Requests on their way at once: an answer takes tens of milliseconds, wherever they come from.
   */
  private static final int AT_ONCE = 4;

  private static final Duration RETRY_FOR = Duration.ofSeconds(30);

  private static final byte[] BEGIN = {
    '{', '"', 'm', 'e', 's', 's', 'a', 'g', 'e', 's', '"', ':', '['
  };
  private static final byte[] END = {']', '}'};

  private final PubSubBus bus;
  private final PubSubClient client;
  private final Duration retryFor;
  private final Deque<CompletableFuture<Void>> onTheirWay = new ArrayDeque<>();
  private ByteArrayOutputStream request = new ByteArrayOutputStream();
  private List<Consumer<Place>> listeners = new ArrayList<>();
  private int messages;

  PubSubPublisher(PubSubBus bus) {
    this(bus, new PubSubClient(bus.server()), RETRY_FOR);
  }

  /** Publishes with a client, and tries again for so long. */
  PubSubPublisher(PubSubBus bus, PubSubClient client, Duration retryFor) {
    this.bus = bus;
    this.client = client;
    this.retryFor = retryFor;
  }

  @Override
  public void publish(OutgoingMessage message) throws UnavailableException {
    publish(message, place -> {});
  }

  @Override
  public void publish(OutgoingMessage message, Consumer<Place> taken) throws UnavailableException {
    byte[] json = PubSubMessages.json(message);
    if (BEGIN.length + json.length + END.length > MAX_REQUEST_BYTES || !bus.takes(message)) {
      throw new RefusedMessageException(
          bus.name()
              + ": a message of "
              + message.bytes().length
              + " bytes and "
              + message.headers().all().size()
              + " headers does not fit: Pub/Sub takes 10 MB (here 7 MB, as base64 needs more) and "
              + Attributes.MAX_COUNT
              + " attributes",
          message);
    }
    if (messages > 0 && BEGIN.length + request.size() + 1 + json.length > ENOUGH_BYTES) {
      send();
    }
    if (messages == 0) {
      request.writeBytes(BEGIN);
    } else {
      request.write(',');
    }
    request.writeBytes(json);
    listeners.add(taken);
    messages++;
    if (messages == MAX_REQUEST_MESSAGES) {
      send();
    }
  }

  private void send() throws UnavailableException {
    while (onTheirWay.size() >= AT_ONCE) {
      await(onTheirWay.remove());
    }
    request.writeBytes(END);
    byte[] body = request.toByteArray();
    List<Consumer<Place>> itsListeners = listeners;
    request = new ByteArrayOutputStream();
    listeners = new ArrayList<>();
    messages = 0;
    onTheirWay.add(
        CompletableFuture.runAsync(
            () -> {
              try {
                List<String> ids = send(body).texts("messageIds");
                for (int i = 0; i < Math.min(ids.size(), itsListeners.size()); i++) {
                  itsListeners.get(i).accept(Place.identified(bus.topic(), ids.get(i)));
                }
              } catch (UnavailableException e) {
                throw new IllegalStateException(e);
              }
            },
            client.threads()));
  }

  private PubSubResource send(byte[] body) throws UnavailableException {
    Retry retry = Retry.of(bus.name(), retryFor);
    while (true) {
      try {
        return client.post(bus.topicPath() + ":publish", body);
      } catch (PubSubException e) {
        if (e.isMissing()) {
          throw new UnavailableException(PubSubCheck.missingTopic(bus), e);
        }
        if (!e.isPassing()) {
          String sentence = bus.name() + ": a message can't be published: " + e.getMessage();
          throw e.isRefused()
              ? new RefusedMessageException(sentence, e)
              : new UnavailableException(sentence, e);
        }
        retry.pause(e.getMessage(), e);
      }
    }
  }

  private void await(CompletableFuture<Void> sent) throws UnavailableException {
    try {
      sent.get();
    } catch (ExecutionException e) {
      Throwable cause = e.getCause();
      if (cause != null && cause.getCause() instanceof RefusedMessageException known) {
        throw new RefusedMessageException(known.getMessage(), known);
      }
      if (cause != null && cause.getCause() instanceof UnavailableException known) {
        throw new UnavailableException(known.getMessage(), known);
      }
      throw new UnavailableException(bus.name() + ": a message can't be published: " + cause, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException(bus.name() + ": interrupted while publishing", e);
    }
  }

  @Override
  public void flush() throws UnavailableException {
    if (messages > 0) {
      send();
    }
    // What was sent with one that has failed is known, too, when this ends.
    UnavailableException failure = null;
    while (!onTheirWay.isEmpty()) {
      try {
        await(onTheirWay.remove());
      } catch (UnavailableException e) {
        failure = failure == null ? e : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
  }

  @Override
  public void close() {
    onTheirWay.forEach(each -> each.cancel(true));
    onTheirWay.clear();
  }
}

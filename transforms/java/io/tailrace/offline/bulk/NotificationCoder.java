package io.tailrace.offline.bulk;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.stage.MessageCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes a {@link Notification} as the message that carried it. Deterministic. */
public final class NotificationCoder extends MessageCoder<Notification> {
  private static final long serialVersionUID = 1;
  private static final NotificationCoder INSTANCE = new NotificationCoder();

  private NotificationCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(Notification.class), INSTANCE);
  }

  /** Returns the coder. */
  public static NotificationCoder of() {
    return INSTANCE;
  }

  @Override
  protected BusMessage message(Notification notification) {
    return notification.message();
  }

  @Override
  protected Notification decode(BusMessage message) throws InvalidMessageException {
    return NotificationFormat.decode(message);
  }
}

package io.tailrace.offline.bulk;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.DecodeMessages;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.Optional;
import java.util.Set;

/**
 * Decodes the messages of the bulk-upload bus. One that breaks a rule, names a file outside of the
 * bucket or is of an environment that is not served becomes a {@link io.tailrace.stage.Failure};
 * the messages around it go on. A replayed message that names another writer as its addressee is
 * passed over.
 */
public final class DecodeNotifications extends DecodeMessages<Notification> {
  private static final long serialVersionUID = 1;

  /** Name of this stage in dead letters and metrics. */
  public static final String STAGE = "DecodeNotifications";

  private final ResultBucket bucket;

  private DecodeNotifications(Served served, ResultBucket bucket) {
    super(served);
    this.bucket = bucket;
  }

  /**
   * Decodes for a writer.
   *
   * @param writer the writer's name, which replayed messages may be addressed to
   * @param bucket where all files must be
   */
  public static DecodeNotifications forWriter(String writer, ResultBucket bucket) {
    return new DecodeNotifications(Served.writer(writer), bucket);
  }

  /** Decodes for the writer's readers in this consumer group; not said: in that of its name. */
  public DecodeNotifications inGroup(String group) {
    return new DecodeNotifications(served().inGroup(group), bucket);
  }

  /** Serves only these environments; empty: all. Messages of others become failures. */
  public DecodeNotifications ofEnvironments(Set<String> environments) {
    return new DecodeNotifications(served().ofEnvironments(environments), bucket);
  }

  @Override
  protected DecodeFn<Notification> decodeFn() {
    return new Fn(this);
  }

  /** What this stage counts. */
  static final class NotificationCounts extends DecodeMessages.Counts {
    private static final long serialVersionUID = 1;

    NotificationCounts() {
      super(STAGE, "notifications", "those messages, not the files that they name");
    }
  }

  private static final class Fn extends DecodeFn<Notification> {
    private static final long serialVersionUID = 1;

    private final ResultBucket bucket;

    Fn(DecodeNotifications spec) {
      super(spec, "environment_id", new NotificationCounts());
      this.bucket = spec.bucket;
    }

    @Override
    protected Notification decode(BusMessage message) throws InvalidMessageException {
      Notification notification = NotificationFormat.decode(message);
      if (notification.origin() != Notification.Origin.WRITER) {
        return notification;
      }
      for (int i = 0; i < notification.files().size(); i++) {
        checkInside(notification.files().get(i), "files[" + i + "]");
      }
      if (notification.folder().isPresent()) {
        Notification.Folder folder = notification.folder().get();
        checkInside(folder.uri(), "prefix.uri");
        if (!folder.manifest().isEmpty()) {
          checkInside(folder.manifest(), "prefix.manifest");
        }
      }
      return notification;
    }

    private void checkInside(String uri, String place) throws InvalidMessageException {
      Optional<String> whyNot = bucket.whyOutside(uri);
      if (whyNot.isPresent()) {
        throw new InvalidMessageException(Reason.INVALID_VALUE, place, whyNot.get());
      }
    }

    @Override
    protected String environment(Notification notification) {
      return notification.contents().map(Notification.Contents::environment).orElse("");
    }
  }
}

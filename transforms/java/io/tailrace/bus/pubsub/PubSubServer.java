package io.tailrace.bus.pubsub;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Secret;
import java.io.Serializable;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Where Pub/Sub answers, and as whom it is asked. Immutable.
 *
 * @param root how URLs begin, without a slash at the end
 * @param isEmulator whether it is an emulator, which asks nobody who they are
 * @param credentials where the key of a service account is, as JSON; null: the application default
 *     credentials
 */
record PubSubServer(String root, boolean isEmulator, @Nullable Secret credentials)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Names an emulator's host and port, for all of Google's clients. */
  private static final String EMULATOR_HOST = "PUBSUB_EMULATOR_HOST";

  private static final String HOST = "pubsub.googleapis.com";

  /** What a host and its port look like. */
  private static final String HOST_AND_PORT =
      "[A-Za-z0-9.-]+(:[0-9]{1,5})?|\\[[0-9A-Fa-f:.]+]:\\d+";

  /**
   * Takes {@code emulator}, {@code endpoint} and {@code credentials} out of a URI. Without the
   * first the emulator is that of the environment, which is looked at here alone: a worker may have
   * another environment.
   */
  static PubSubServer of(EndpointUri uri) {
    return of(uri, Optional.ofNullable(System.getenv(EMULATOR_HOST)));
  }

  static PubSubServer of(EndpointUri uri, Optional<String> environment) {
    Optional<String> emulator = uri.take("emulator");
    Optional<String> endpoint = uri.take("endpoint");
    Secret credentials = uri.takeSecret("credentials").orElse(null);
    emulator.ifPresent(value -> check(uri, "emulator", value));
    endpoint.ifPresent(value -> check(uri, "endpoint", value));
    if (emulator.isPresent() && (endpoint.isPresent() || credentials != null)) {
      uri.problem("an emulator has neither endpoint nor credentials: leave those out");
    }
    // Who names an endpoint does not mean the emulator of the environment.
    Optional<String> local =
        endpoint.isPresent()
            ? emulator
            : emulator.or(() -> environment.filter(value -> !value.isBlank()));
    return local
        .map(host -> new PubSubServer("http://" + host, true, null))
        .orElseGet(() -> new PubSubServer("https://" + endpoint.orElse(HOST), false, credentials));
  }

  private static void check(EndpointUri uri, String name, String value) {
    if (!value.matches(HOST_AND_PORT)) {
      uri.problem(name + "=" + value + " is not a host and a port, such as localhost:8085");
    }
  }
}

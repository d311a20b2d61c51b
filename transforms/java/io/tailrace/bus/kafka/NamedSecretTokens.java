package io.tailrace.bus.kafka;

import io.tailrace.endpoint.Secret;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginCallbackHandler;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;
import org.jspecify.annotations.Nullable;

/**
 * Gets a client's tokens from its provider, by Kafka's own means, with a client secret that is read
 * anew for each token. Made by Kafka's clients; used by one thread.
 */
public final class NamedSecretTokens implements AuthenticateCallbackHandler {
  static final String CLIENT = "clientId";
  static final String SECRET = "clientSecretIn";

  private Map<String, ?> configs = Map.of();
  private String mechanism = "";
  private Map<String, Object> options = Map.of();

  /** Made by Kafka's clients, by its name. */
  public NamedSecretTokens() {}

  @Override
  public void configure(
      Map<String, ?> given, String saslMechanism, List<AppConfigurationEntry> logins) {
    configs = given;
    mechanism = saslMechanism;
    options = new HashMap<>(logins.get(0).getOptions());
  }

  @Override
  public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
    Map<String, Object> read = new HashMap<>(options);
    @Nullable Object place = read.remove(SECRET);
    try {
      read.put(
          OAuthBearerLoginCallbackHandler.CLIENT_SECRET_CONFIG,
          Secret.parse(String.valueOf(place))
              .orElseThrow(() -> new IllegalStateException("the login names no secret"))
              .read());
    } catch (IllegalStateException e) {
      throw new IOException(e.getMessage(), e);
    }
    OAuthBearerLoginCallbackHandler provider = new OAuthBearerLoginCallbackHandler();
    try {
      provider.configure(
          configs,
          mechanism,
          List.of(
              new AppConfigurationEntry(
                  OAuthBearerLoginModule.class.getName(),
                  AppConfigurationEntry.LoginModuleControlFlag.REQUIRED,
                  read)));
      provider.handle(callbacks);
    } finally {
      provider.close();
    }
  }

  @Override
  public void close() {}
}

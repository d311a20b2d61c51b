package io.tailrace.bus.kafka;

import io.tailrace.endpoint.Secret;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import javax.security.auth.callback.Callback;
import javax.security.auth.callback.NameCallback;
import javax.security.auth.callback.PasswordCallback;
import javax.security.auth.callback.UnsupportedCallbackException;
import javax.security.auth.login.AppConfigurationEntry;
import javax.security.sasl.AuthorizeCallback;
import javax.security.sasl.RealmCallback;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.scram.ScramExtensionsCallback;

/**
 * Tells a client who it is whenever it makes a connection: the user of the login's options, and the
 * password, which is read anew. So a password may be changed while clients live. Made by Kafka's
 * clients; thread-safe once it is configured.
 */
public final class NamedSecretCallbacks implements AuthenticateCallbackHandler {
  static final String USER = "user";
  static final String PASSWORD = "passwordIn";
  static final String JAAS = "jaasIn";

  private Map<String, String> options = Map.of();

  private record Account(String user, String password) {}

  /** Made by Kafka's clients, by its name. */
  public NamedSecretCallbacks() {}

  @Override
  public void configure(
      Map<String, ?> configs, String mechanism, List<AppConfigurationEntry> logins) {
    Map<String, String> texts = new HashMap<>();
    logins.get(0).getOptions().forEach((name, value) -> texts.put(name, String.valueOf(value)));
    options = Map.copyOf(texts);
  }

  @Override
  public void handle(Callback[] callbacks) throws IOException, UnsupportedCallbackException {
    Account account;
    try {
      account = account();
    } catch (IllegalStateException e) {
      // The client says it in its own words, and may try again.
      throw new IOException(e.getMessage(), e);
    }
    for (Callback callback : callbacks) {
      if (callback instanceof NameCallback name) {
        name.setName(account.user);
      } else if (callback instanceof PasswordCallback password) {
        password.setPassword(account.password.toCharArray());
      } else if (callback instanceof RealmCallback realm) {
        realm.setText(realm.getDefaultText());
      } else if (callback instanceof AuthorizeCallback authorize) {
        boolean isSame = authorize.getAuthenticationID().equals(authorize.getAuthorizationID());
        authorize.setAuthorized(isSame);
      } else if (!(callback instanceof ScramExtensionsCallback)) {
        throw new UnsupportedCallbackException(callback, "not asked of a user with a password");
      }
    }
  }

  private Account account() {
    if (options.containsKey(JAAS)) {
      Map<String, ?> login =
          JaasContext.loadClientContext(
                  Map.of(SaslConfigs.SASL_JAAS_CONFIG, new Password(read(JAAS))))
              .configurationEntries()
              .get(0)
              .getOptions();
      return new Account(
          String.valueOf(login.get("username")), String.valueOf(login.get("password")));
    }
    return new Account(options.getOrDefault(USER, ""), read(PASSWORD));
  }

  private String read(String option) {
    return Secret.parse(options.getOrDefault(option, ""))
        .orElseThrow(() -> new IllegalStateException("the login names no secret"))
        .read();
  }

  @Override
  public void close() {}
}

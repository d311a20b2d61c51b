package io.tailrace.bus.kafka;

import java.util.Map;
import javax.security.auth.Subject;
import javax.security.auth.callback.CallbackHandler;
import javax.security.auth.spi.LoginModule;
import org.apache.kafka.common.security.plain.internals.PlainSaslServerProvider;
import org.apache.kafka.common.security.scram.internals.ScramSaslClientProvider;

/**
 * The login of a client whose password has a place, which its options name: nothing is read here,
 * as what is read at a login would stay for the client's life. {@link NamedSecretCallbacks} reads
 * it whenever a connection is made.
 */
public final class NamedSecretLogin implements LoginModule {
  static {
    ScramSaslClientProvider.initialize();
    PlainSaslServerProvider.initialize();
  }

  /** Made by JAAS, by its name. */
  public NamedSecretLogin() {}

  @Override
  public void initialize(
      Subject subject, CallbackHandler callbacks, Map<String, ?> shared, Map<String, ?> options) {}

  @Override
  public boolean login() {
    return true;
  }

  @Override
  public boolean commit() {
    return true;
  }

  @Override
  public boolean abort() {
    return false;
  }

  @Override
  public boolean logout() {
    return true;
  }
}

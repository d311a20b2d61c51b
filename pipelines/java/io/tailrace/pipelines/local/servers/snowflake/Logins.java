package io.tailrace.pipelines.local.servers.snowflake;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.util.Base64;
import java.util.Optional;

/** Who may log in: one user, by a password or by a key. Thread-safe. */
public final class Logins {
  /** The user. */
  public static final String USER = "WRITER";

  /** The password. */
  public static final String PASSWORD = "secret-of-the-writer";

  private volatile Optional<PublicKey> key = Optional.empty();

  /** Gives the user a public key; from then on a token that its private key signed lets them in. */
  public void give(PublicKey publicKey) {
    key = Optional.of(publicKey);
  }

  /** Returns why a login is refused; empty: it is not. */
  String refusal(JsonNode asked) {
    boolean isUser = USER.equalsIgnoreCase(asked.path("LOGIN_NAME").asText());
    boolean isRight =
        asked.path("AUTHENTICATOR").asText().equals("SNOWFLAKE_JWT")
            ? key.isPresent() && isSigned(asked.path("TOKEN").asText(), key.get())
            : PASSWORD.equals(asked.path("PASSWORD").asText());
    return isUser && isRight ? "" : "Incorrect username or password was specified.";
  }

  private static boolean isSigned(String token, PublicKey key) {
    int dot = token.lastIndexOf('.');
    try {
      Signature signature = Signature.getInstance("SHA256withRSA");
      signature.initVerify(key);
      signature.update(token.substring(0, Math.max(0, dot)).getBytes(StandardCharsets.US_ASCII));
      return signature.verify(Base64.getUrlDecoder().decode(token.substring(dot + 1)));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      return false;
    }
  }
}

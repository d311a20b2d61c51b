package io.tailrace.offline.snowflake;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Properties;

/** Gives the driver a private key, as {@code openssl pkcs8 -topk8} writes it: a PEM text. */
final class PrivateKeys {
  private static final String PLAIN = "-----BEGIN PRIVATE KEY-----";
  private static final String ENCRYPTED = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

  private PrivateKeys() {}

  /**
   * Puts a key where the driver looks for it.
   *
   * @param password the key's own; empty: none
   * @throws IllegalStateException if it is none; the message never shows it
   */
  static void put(Properties properties, String pem, String password) {
    if (pem.contains(ENCRYPTED)) {
      if (password.isEmpty()) {
        throw new IllegalStateException(
            "the private key has a password: give privateKeyPassword=file:PATH");
      }
      properties.put("authenticator", "SNOWFLAKE_JWT");
      properties.put(
          "private_key_base64",
          Base64.getEncoder().encodeToString(pem.getBytes(StandardCharsets.UTF_8)));
      properties.put("private_key_pwd", password);
      return;
    }
    if (!pem.contains(PLAIN)) {
      throw new IllegalStateException(
          "the private key is no PEM text of PKCS#8; make it with: openssl pkcs8 -topk8 -in key.pem"
              + " -nocrypt");
    }
    String base64 = pem.replaceAll("(?s).*" + PLAIN, "").replaceAll("(?s)-----END.*", "");
    try {
      properties.put(
          "privateKey",
          KeyFactory.getInstance("RSA")
              .generatePrivate(new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(base64))));
    } catch (GeneralSecurityException | IllegalArgumentException e) {
      throw new IllegalStateException("the private key is no key of RSA", e);
    }
  }
}

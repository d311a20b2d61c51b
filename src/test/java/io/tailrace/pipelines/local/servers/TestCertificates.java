package io.tailrace.pipelines.local.servers;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A certificate authority and a server's certificate for {@code localhost} and {@code 127.0.0.1},
 * valid for a day, made by the JDK's keytool.
 *
 * @param authority the authority's certificate, PEM
 * @param certificate the server's certificate, PEM
 * @param key the server's private key, PKCS #8 PEM without a password
 * @param trustStore the authority's certificate, PKCS #12, opened by {@link #TRUST_STORE_PASSWORD}
 */
public record TestCertificates(Path authority, Path certificate, Path key, Path trustStore) {
  public static final String TRUST_STORE_PASSWORD = "changeit";

  /** Makes new ones in a directory that exists. */
  public static TestCertificates generate(Path directory)
      throws IOException, GeneralSecurityException {
    Path authorityStore = directory.resolve("authority.p12");
    Path serverStore = directory.resolve("server.p12");
    Path trustStore = directory.resolve("trust.p12");
    Path authority = directory.resolve("ca.pem");
    Path request = directory.resolve("server.csr");
    Path certificate = directory.resolve("cert.pem");
    Path key = directory.resolve("key.pem");

    generateKeyPair(authorityStore, "authority", "CN=Tailrace Test Authority", "bc:c=ca:true");
    generateKeyPair(serverStore, "server", "CN=localhost", "san=dns:localhost,ip:127.0.0.1");
    keytool(authorityStore, "-exportcert", "-rfc", "-alias", "authority", "-file", authority);
    keytool(serverStore, "-certreq", "-alias", "server", "-file", request);
    keytool(
        authorityStore,
        "-gencert",
        "-rfc",
        "-alias",
        "authority",
        "-infile",
        request,
        "-outfile",
        certificate,
        "-ext",
        "san=dns:localhost,ip:127.0.0.1");
    keytool(trustStore, "-importcert", "-noprompt", "-alias", "authority", "-file", authority);
    Files.writeString(key, privateKey(serverStore, "server"));
    return new TestCertificates(authority, certificate, key, trustStore);
  }

  private static void generateKeyPair(Path store, String alias, String name, String extension)
      throws IOException {
    keytool(
        store,
        "-genkeypair",
        "-alias",
        alias,
        "-keyalg",
        // Made in no time.
        "EC",
        "-groupname",
        "secp256r1",
        "-dname",
        name,
        "-ext",
        extension,
        "-validity",
        "1");
  }

  private static void keytool(Path store, Object... arguments) throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    for (Object argument : arguments) {
      command.add(argument.toString());
    }
    command.addAll(
        List.of(
            "-keystore",
            store.toString(),
            "-storetype",
            "PKCS12",
            "-storepass",
            TRUST_STORE_PASSWORD));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    try {
      if (process.waitFor() != 0) {
        throw new IOException("keytool failed: " + output);
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("Interrupted while waiting for keytool", e);
    }
  }

  private static String privateKey(Path store, String alias)
      throws IOException, GeneralSecurityException {
    char[] password = TRUST_STORE_PASSWORD.toCharArray();
    byte[] key =
        KeyStore.getInstance(store.toFile(), password).getKey(alias, password).getEncoded();
    return "-----BEGIN PRIVATE KEY-----\n"
        + Base64.getMimeEncoder(64, new byte[] {'\n'}).encodeToString(key)
        + "\n-----END PRIVATE KEY-----\n";
  }
}

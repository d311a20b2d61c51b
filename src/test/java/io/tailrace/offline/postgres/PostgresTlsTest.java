package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.pipelines.local.servers.TestCertificates;
import java.nio.file.Files;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** Whether a server is trusted. */
@RunWith(JUnit4.class)
public class PostgresTlsTest {
  @Rule public final TemporaryFolder temporary = new TemporaryFolder();

  @Test
  public void aServerIsTrustedAsTheUriSays() throws Exception {
    TestCertificates certificates = TestCertificates.generate(temporary.newFolder().toPath());
    TestCertificates others = TestCertificates.generate(temporary.newFolder().toPath());
    Files.setPosixFilePermissions(certificates.key(), PosixFilePermissions.fromString("rw-------"));
    try (LocalPostgres postgres =
        LocalPostgres.in(temporary.newFolder().toPath())
            .setting("ssl", "on")
            .setting("ssl_cert_file", certificates.certificate().toString())
            .setting("ssl_key_file", certificates.key().toString())
            .start()) {
      String uri = postgres.uri();
      check(uri + "&sslmode=require");
      check(uri + "&sslmode=verify-full&caFile=" + certificates.authority());
      UnavailableException untrusted =
          assertThrows(
              UnavailableException.class,
              () -> check(uri + "&sslmode=verify-full&caFile=" + others.authority()));
      // The JVM does not know the authority.
      UnavailableException unknown =
          assertThrows(UnavailableException.class, () -> check(uri + "&sslmode=verify-full"));
      UnavailableException otherName =
          assertThrows(
              UnavailableException.class,
              () ->
                  check(
                      uri.replace("127.0.0.1", "127.0.0.2")
                          + "&sslmode=verify-full&caFile="
                          + certificates.authority()));

      for (UnavailableException refused :
          new UnavailableException[] {untrusted, unknown, otherName}) {
        assertThat(refused).hasMessageThat().contains(" can't be reached: ");
      }
    }
  }

  private static void check(String uri) throws UnavailableException {
    PostgresOfflineStore.at(EndpointUri.parse(uri)).check();
  }
}

package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.offline.postgres.PostgresAddress.Index;
import io.tailrace.offline.postgres.PostgresAddress.Partitions;
import java.time.Duration;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a PostgreSQL URI may say, and what is said of one that is wrong. */
@RunWith(JUnit4.class)
public class PostgresAddressTest {
  private static final String EXAMPLE =
      ". Example: postgresql://db.example.com:5432/features?schema=tailrace_{environment}"
          + "&user=writer&password=env:PGPASSWORD&sslmode=verify-full";

  private static PostgresAddress address(String uri) {
    return PostgresAddress.of(EndpointUri.parse(uri));
  }

  private static String problem(String uri) {
    return assertThrows(IllegalArgumentException.class, () -> address(uri)).getMessage();
  }

  @Test
  public void hostAndDatabaseAreEnough() {
    PostgresAddress address = address("postgresql://db/features");

    assertThat(address.server().jdbcUrl()).isEqualTo("jdbc:postgresql://db:5432/features");
    assertThat(address.separatesEnvironments()).isFalse();
    assertThat(address.schema("prod")).isEqualTo("tailrace");
    assertThat(address.server().login().user()).isEmpty();
    assertThat(address.server().login().password()).isEmpty();
    assertThat(address.server().sslMode()).isEmpty();
    assertThat(address.server().caFile()).isEmpty();
    assertThat(address.partitions()).isEqualTo(Partitions.NONE);
    assertThat(address.index()).isEqualTo(Index.PKEY);
    assertThat(address.server().timeouts().connect()).isEqualTo(Duration.ofSeconds(5));
    assertThat(address.server().timeouts().reply()).isEqualTo(Duration.ofMinutes(1));
    assertThat(address.server().timeouts().retryFor()).isEqualTo(Duration.ofSeconds(30));
  }

  @Test
  public void everyParameterIsTaken() {
    PostgresAddress address =
        address(
            "postgresql://a:1,[::1]:2/my-db?schema=t_{environment}_x&user=me&password=env:PW"
                + "&sslmode=verify-ca&caFile=/ca.pem&partitions=monthly&index=none"
                + "&connectTimeout=1s&timeout=2s&retryFor=3s");

    assertThat(address.server().jdbcUrl()).isEqualTo("jdbc:postgresql://a:1,[::1]:2/my-db");
    assertThat(address.separatesEnvironments()).isTrue();
    assertThat(address.schema("prod")).isEqualTo("t_prod_x");
    assertThat(address.server().login().user()).hasValue("me");
    assertThat(address.server().login().password().map(Object::toString)).hasValue("env:PW");
    assertThat(address.server().sslMode()).hasValue("verify-ca");
    assertThat(address.server().caFile()).hasValue("/ca.pem");
    assertThat(address.partitions()).isEqualTo(Partitions.MONTHLY);
    assertThat(address.index()).isEqualTo(Index.NONE);
    assertThat(address.server().timeouts().connect()).isEqualTo(Duration.ofSeconds(1));
    assertThat(address.server().timeouts().reply()).isEqualTo(Duration.ofSeconds(2));
    assertThat(address.server().timeouts().retryFor()).isEqualTo(Duration.ofSeconds(3));
  }

  @Test
  public void theLongestNamesOfEnvironmentsFitIntoASchema() {
    String fixed = "x".repeat(22) + "_";
    PostgresAddress address = address("postgresql://db/f?schema=" + fixed + "{environment}");

    assertThat(address.schema("E" + "e".repeat(99)).length()).isAtMost(63);
    assertThat(problem("postgresql://db/f?schema=" + fixed + "x{environment}"))
        .contains("is longer than 23 letters besides {environment}");
    assertThat(problem("postgresql://db/f?schema=" + "x".repeat(64)))
        .contains("is longer than 63 letters");
  }

  @Test
  public void everyProblemIsListedWithACorrection() {
    assertThat(
            problem(
                "postgresql://me:secret@db:0?schema=A-b&sslmode=on"
                    + "&partitions=daily&index=all&timeout=soon&tls=yes&password=hunter2"))
        .isEqualTo(
            "'postgresql://***@db:0?schema=A-b&sslmode=on&partitions=daily&index=all&timeout=soon&tls=***&password=***':"
                + " user and password don't belong into a URI: use ?user=NAME&password=env:VARIABLE"
                + " or password=file:PATH; 'db:0' has no port between 1 and 65535; the name of the"
                + " database is missing: postgresql://host/DATABASE; password must say where the"
                + " secret is, env:VARIABLE or file:PATH, not what it is; sslmode=on is none of"
                + " disable, allow, prefer, require, verify-ca, verify-full; timeout=soon is not a"
                + " duration such as 500ms, 30s, 10m, 1h or 14d; schema=A-b may have small letters,"
                + " digits, '_' and {environment} only, and begin with a letter; partitions=daily"
                + " is none of none, monthly; index=all is none of pkey, none; parameter 'tls' is"
                + " unknown; known are user, password, sslmode, caFile, connectTimeout, timeout,"
                + " retryFor, schema, partitions, index"
                + EXAMPLE);
  }

  @Test
  public void whatDependsOnSomethingElseIsAProblemWithoutIt() {
    assertThat(problem("postgresql://db/f?password=env:PW"))
        .endsWith(": password=env:PW needs user=NAME" + EXAMPLE);
    assertThat(problem("postgresql://db/f?sslmode=require&caFile=/ca"))
        .endsWith(
            ": caFile needs sslmode=verify-full, or verify-ca to accept any host's name" + EXAMPLE);
    assertThat(problem("postgresql://db/f?timeout=0s"))
        .endsWith(": timeout=0s is not between 1ms and 36500d (100 years)" + EXAMPLE);
    assertThat(problem("postgresql://db/a/b")).contains("'a/b' is not the name of a database");
  }

  @Test
  public void schemasThatPostgresKeepsForItselfAreRefused() {
    assertThat(problem("postgresql://db/f?schema=pg_{environment}"))
        .contains("schema=pg_{environment} is a name that PostgreSQL keeps for itself");
    assertThat(problem("postgresql://db/f?schema=information_schema"))
        .contains("schema=information_schema is a name that PostgreSQL keeps for itself");
    assertThat(problem("postgresql://db/f?schema={environment}_{environment}"))
        .contains("has {environment} twice");
  }
}

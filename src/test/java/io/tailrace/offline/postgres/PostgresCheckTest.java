package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.google.common.base.Throwables;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineReader.Table;
import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.testing.TestDatabase;
import java.net.ServerSocket;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.apache.beam.sdk.util.SerializableUtils;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is said of a server that can't be used, and what it answers when asked. */
@RunWith(JUnit4.class)
public class PostgresCheckTest {
  @Rule public final TestDatabase database = new TestDatabase();

  private static OfflineStore store(String uri) {
    return PostgresOfflineStore.at(EndpointUri.parse(uri));
  }

  private static String problem(String uri) {
    return problem(uri, Role.values());
  }

  private static String problem(String uri, Role... roles) {
    UnavailableException problem =
        assertThrows(UnavailableException.class, () -> store(uri).check(Set.of(roles)));
    assertThat(problem).hasMessageThat().startsWith(uri);
    return problem.getMessage().substring(uri.length());
  }

  @Test
  public void aServerThatCanBeUsedIsFine() throws Exception {
    database.store("").check();
    database.store("schema=tailrace_{environment}").check();
  }

  @Test
  public void aStoreIsSerializableAndShowsNoSecret() throws Exception {
    OfflineStore store = store(database.uriOf("tailrace", "hunter2"));
    OfflineStore copy = SerializableUtils.clone(store);
    UnavailableException refused = assertThrows(UnavailableException.class, copy::check);

    assertThat(copy.uri()).isEqualTo(store.uri());
    assertThat(copy.toString()).isEqualTo(store.uri());
    assertThat(store.uri()).doesNotContain("hunter2");
    assertThat(Throwables.getStackTraceAsString(refused)).doesNotContain("hunter2");
  }

  @Test
  public void aWrongPasswordIsNamed() {
    assertThat(problem(database.uriOf("tailrace", "wrong")))
        .isEqualTo(
            ": the server refuses the user or the password (password authentication failed for"
                + " user \"tailrace\"); give ?user=NAME&password=env:VARIABLE");
    assertThat(problem(database.uriOf("nobody", "wrong")))
        .contains("password authentication failed for user \"nobody\"");
  }

  @Test
  public void aPasswordThatIsNotThereIsNamed() {
    String uri = database.uri("").replaceFirst("file:.*", "env:TAILRACE_NO_SUCH_VARIABLE");

    assertThat(problem(uri))
        .isEqualTo(": the environment variable TAILRACE_NO_SUCH_VARIABLE is not set");
  }

  @Test
  public void anUnknownDatabaseIsNamed() {
    assertThat(problem(database.uri("").replace("/" + database.name() + "?", "/nothing?")))
        .isEqualTo(
            ": the database 'nothing' does not exist; create it: CREATE DATABASE \"nothing\"");
  }

  @Test
  public void aHostThatIsNotThereIsNamed() {
    assertThat(problem("postgresql://127.0.0.1:1/db?user=me"))
        .startsWith(" can't be reached: Connection to 127.0.0.1:1 refused");
    assertThat(problem("postgresql://no-such-host.invalid/db?user=me"))
        .isEqualTo(
            " can't be reached: the host no-such-host.invalid is unknown; check host and port");
  }

  @Test
  public void aHostThatNeverAnswersIsGivenUp() throws Exception {
    try (ServerSocket silent = new ServerSocket(0)) {
      assertThat(
              problem(
                  "postgresql://127.0.0.1:"
                      + silent.getLocalPort()
                      + "/db?user=me&sslmode=disable&connectTimeout=1s"))
          .startsWith(" can't be reached: ");
    }
  }

  @Test
  public void aServerWithoutTlsIsNamed() {
    assertThat(problem(database.uri("sslmode=require")))
        .endsWith("; check host and port, and that the server speaks TLS as sslmode asks");
  }

  @Test
  public void aDatabaseInAnotherEncodingIsNamed() throws Exception {
    String latin = database.name() + "_latin";
    database.execute(
        "CREATE DATABASE " + latin + " ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'");

    assertThat(problem(database.uri("").replace("/" + database.name() + "?", "/" + latin + "?")))
        .isEqualTo(
            ": the database has the encoding LATIN1, which can't hold every text; create one with"
                + " ENCODING 'UTF8'");
  }

  @Test
  public void whatTheUserMayNotDoIsNamed() throws Exception {
    database.execute(
        "DROP ROLE IF EXISTS writer",
        "CREATE ROLE writer LOGIN PASSWORD 'w'",
        "REVOKE ALL ON DATABASE " + database.name() + " FROM PUBLIC",
        "GRANT CONNECT ON DATABASE " + database.name() + " TO writer");
    String uri = database.uriOf("writer", "w");
    String grant = " ON DATABASE \"" + database.name() + "\" TO \"writer\"";
    assertThat(problem(uri))
        .isEqualTo(
            ": the user may not create temporary tables, which rows are copied to first; GRANT"
                + " TEMPORARY"
                + grant);

    database.execute("GRANT TEMPORARY ON DATABASE " + database.name() + " TO writer");
    assertThat(problem(uri))
        .isEqualTo(
            ": there is no schema 'tailrace', and the user may not create it; GRANT CREATE"
                + grant);

    database.execute("CREATE SCHEMA tailrace");
    assertThat(problem(uri))
        .isEqualTo(
            ": the user may not create tables in the schema 'tailrace'; GRANT USAGE, CREATE ON"
                + " SCHEMA \"tailrace\" TO \"writer\"");

    database.execute("GRANT USAGE, CREATE ON SCHEMA tailrace TO writer");
    store(uri).check();
    database.execute("DROP OWNED BY writer", "DROP ROLE writer");
  }

  @Test
  public void whoPlaysOneRoleIsAskedForTheRightsOfThatAlone() throws Exception {
    database.execute(
        "DROP ROLE IF EXISTS writer",
        "CREATE ROLE writer LOGIN PASSWORD 'w'",
        "REVOKE ALL ON DATABASE " + database.name() + " FROM PUBLIC",
        "GRANT CONNECT ON DATABASE " + database.name() + " TO writer");
    String uri = database.uriOf("writer", "w");
    String each = uri + "&schema=one_{environment}";

    store(uri).check(Set.of(Role.READ));
    assertThat(problem(uri, Role.INSERT)).contains("may not create temporary tables");
    assertThat(problem(uri, Role.CREATE_TABLES))
        .startsWith(": there is no schema 'tailrace', and the user may not create it");
    assertThat(problem(each, Role.CREATE_TABLES))
        .startsWith(": there is no schema 'one_{environment}', and the user may not create it");

    database.execute(
        "GRANT TEMPORARY ON DATABASE " + database.name() + " TO writer",
        "CREATE SCHEMA tailrace",
        "CREATE SCHEMA one_production");
    assertThat(problem(uri, Role.INSERT))
        .startsWith(": there is no schema 'tailrace' that the user may use");
    assertThat(problem(each, Role.INSERT))
        .startsWith(": there is no schema 'one_{environment}' that the user may use");

    database.execute("GRANT USAGE ON SCHEMA tailrace, one_production TO writer");
    store(uri).check(Set.of(Role.INSERT));
    store(each).check(Set.of(Role.INSERT));
    assertThat(problem(uri, Role.CREATE_TABLES))
        .startsWith(": the user may not create tables in the schema 'tailrace'");
    assertThat(problem(each, Role.CREATE_TABLES))
        .startsWith(": the user may not create tables in the schema 'one_{environment}'");

    database.execute(
        "REVOKE TEMPORARY ON DATABASE " + database.name() + " FROM writer",
        "GRANT CREATE ON SCHEMA tailrace, one_production TO writer");
    store(uri).check(Set.of(Role.CREATE_TABLES));
    store(each).check(Set.of(Role.CREATE_TABLES));
    database.execute("DROP OWNED BY writer", "DROP ROLE writer");
  }

  @Test
  public void aQueryAnswersInText() throws Exception {
    Table table =
        database
            .store("")
            .reader()
            .query(
                "SELECT 1 AS a, NULL AS b, '{x,y}'::text[] AS c, 'epoch'::timestamptz AS d,"
                    + " true AS e",
                10);

    assertThat(table)
        .isEqualTo(
            new Table(
                List.of("a", "b", "c", "d", "e"),
                List.of(Arrays.asList("1", null, "{x,y}", "1970-01-01 00:00:00+00", "t")),
                true));
  }

  @Test
  public void aQueryReturnsNoMoreRowsThanWanted() throws Exception {
    OfflineStore store = database.store("");

    assertThat(store.reader().query("SELECT * FROM generate_series(1, 3)", 2))
        .isEqualTo(
            new Table(List.of("generate_series"), List.of(List.of("1"), List.of("2")), false));
    assertThat(store.reader().query("SELECT * FROM generate_series(1, 3);", 3).complete()).isTrue();
    assertThat(
            store.reader().query("SELECT * FROM generate_series(1, 3)", Integer.MAX_VALUE).rows())
        .hasSize(3);
  }

  @Test
  public void aQueryThatIsRefusedSaysWhy() throws Exception {
    OfflineStore store = database.store("");
    for (String[] each :
        new String[][] {
          {"SELECT x", "column \"x\" does not exist"},
          {"CREATE TABLE t ()", "cannot execute CREATE TABLE in a read-only transaction"},
          {"COMMIT; CREATE TABLE t ()", "it is more than one statement"},
          {"COMMIT", "it returns no rows"},
          {"SET search_path = public", "it returns no rows"}
        }) {
      UnavailableException refused =
          assertThrows(UnavailableException.class, () -> store.reader().query(each[0], 5));
      assertThat(refused)
          .hasMessageThat()
          .isEqualTo(store.uri() + ": PostgreSQL refuses the query: " + each[1]);
    }
    assertThat(database.rows("SELECT tablename FROM pg_tables WHERE tablename = 't'")).isEmpty();
  }

  @Test
  public void aQueryThatTakesTooLongSaysSo() {
    OfflineStore hasty = database.store("timeout=200ms");

    assertThat(
            assertThrows(
                UnavailableException.class, () -> hasty.reader().query("SELECT pg_sleep(9)", 5)))
        .hasMessageThat()
        .isEqualTo(
            hasty.uri()
                + ": PostgreSQL refuses the query: canceling statement due to statement timeout");
  }

  @Test
  public void aQueryOfAServerThatIsNotThereSaysSo() {
    UnavailableException refused =
        assertThrows(
            UnavailableException.class,
            () -> store("postgresql://127.0.0.1:1/db?user=me").reader().query("SELECT 1", 1));

    assertThat(refused).hasMessageThat().contains(" can't be reached: ");
  }
}

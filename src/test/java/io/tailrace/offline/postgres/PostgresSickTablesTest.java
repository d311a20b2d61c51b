package io.tailrace.offline.postgres;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.GroupedInserts;
import io.tailrace.offline.InsertSession;
import io.tailrace.offline.Inserted;
import io.tailrace.offline.Inserted.Count;
import io.tailrace.offline.OfflineStore.Role;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.result.ValueType;
import io.tailrace.testing.TestDatabase;
import io.tailrace.v1.DeadLetter.Reason;
import java.sql.Connection;
import java.sql.Statement;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.Rule;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What becomes of the rows of a table that PostgreSQL refuses, and of all others. */
@RunWith(JUnit4.class)
public class PostgresSickTablesTest {
  /** 2026-11-22T20:30:00.123456Z. */
  private static final long TIME = 1_795_379_400_123_456L;

  @Rule public final TestDatabase database = new TestDatabase();

  private InsertSession session() {
    return session(database.uri("retryFor=50ms"));
  }

  private static InsertSession session(String uri) {
    return GroupedInserts.over(PostgresOfflineStore.at(EndpointUri.parse(uri)).connect());
  }

  /** Returns a session of a user who owns nothing. */
  private InsertSession sessionOfWriter() throws Exception {
    String role = role();
    if (database.rows("SELECT 1 FROM pg_roles WHERE rolname = '" + role + "'").isEmpty()) {
      database.execute(
          "CREATE ROLE " + role + " LOGIN PASSWORD '" + role + "'",
          "GRANT ALL ON SCHEMA tailrace TO " + role,
          "GRANT ALL ON ALL TABLES IN SCHEMA tailrace TO " + role);
    }
    return session(database.uriOf(role, role) + "&retryFor=50ms");
  }

  /** Roles are the server's, not the database's. */
  private String role() {
    return "writer_of_" + database.name();
  }

  private static ObservationFile file(String feature, String... keys) {
    RowFile file = RowFile.of(ValueType.INT64);
    for (int i = 0; i < keys.length; i++) {
      file.row(feature, keys[i], TIME + i, (long) i);
    }
    return file.file();
  }

  private static Inserted insert(InsertSession session, ObservationFile... files)
      throws UnavailableException {
    return session.insert(List.of(files));
  }

  private List<String> keys(String table) throws Exception {
    return database.rows("SELECT pkey FROM tailrace." + table + " ORDER BY 1");
  }

  private static void assertRefused(Inserted inserted, int rows, String why) {
    assertThat(inserted.rejected().stream().mapToInt(each -> each.rows().count()).sum())
        .isEqualTo(rows);
    inserted
        .rejected()
        .forEach(
            each -> {
              assertThat(each.reason()).isEqualTo(Reason.TABLE_REFUSES);
              assertThat(each.message()).contains(why);
            });
  }

  @Test
  public void aTableWhoseRightWasRevokedIsLeftAloneForAWhileAndOthersGoOn() throws Exception {
    try (InsertSession owner = session()) {
      insert(owner, file("user.age", "a"), file("user.size", "a"));
    }
    try (InsertSession session = sessionOfWriter()) {
      database.execute("REVOKE INSERT ON tailrace.user__age FROM " + role());

      Inserted first = insert(session, file("user.age", "b", "c"), file("user.size", "b"));
      assertRefused(first, 2, "permission denied for table user__age");
      assertThat(first.rows()).isEqualTo(new Count(1, 0));

      database.execute("GRANT INSERT ON tailrace.user__age TO " + role());
      Inserted later = insert(session, file("user.age", "d"), file("user.size", "c"));
      assertRefused(later, 1, "permission denied for table user__age");
      assertThat(keys("user__size")).containsExactly("a", "b", "c");
      assertThat(keys("user__age")).containsExactly("a");
    }
    try (InsertSession restarted = sessionOfWriter()) {
      assertThat(insert(restarted, file("user.age", "b", "c")).rejected()).isEmpty();
    }
    assertThat(keys("user__age")).containsExactly("a", "b", "c");
  }

  @Test
  public void whereOneTableIsAskedAndRefusesTheStoreIsNotDownIfTheWritersOwnTakesARow()
      throws Exception {
    try (InsertSession owner = session()) {
      insert(owner, file("user.age", "a"));
    }
    try (InsertSession session = sessionOfWriter()) {
      database.execute("REVOKE INSERT ON tailrace.user__age FROM " + role());

      assertRefused(insert(session, file("user.age", "b")), 1, "permission denied");
    }
  }

  @Test
  public void whereNoTableTakesARowTheStoreIsDownAndThereAreNoLetters() throws Exception {
    try (InsertSession owner = session()) {
      insert(owner, file("user.age", "a"), file("user.size", "a"));
    }
    try (InsertSession session = sessionOfWriter()) {
      database.execute("REVOKE INSERT, UPDATE ON ALL TABLES IN SCHEMA tailrace FROM " + role());

      UnavailableException down =
          assertThrows(
              UnavailableException.class,
              () -> insert(session, file("user.age", "b"), file("user.size", "b")));
      assertThat(down).hasMessageThat().contains("no table of prod takes rows");

      database.execute("GRANT ALL ON ALL TABLES IN SCHEMA tailrace TO " + role());
      assertThat(insert(session, file("user.age", "b"), file("user.size", "b")).rejected())
          .isEmpty();
    }
  }

  @Test
  public void aTableThatIsMendedWithinThePatienceTakesItsRows() throws Exception {
    try (InsertSession session = session(database.uri("retryFor=1m"))) {
      insert(session, file("user.age", "a"));
      // Once with others, and sixteen times alone.
      refuse(17);
      RowFile many = RowFile.of(ValueType.INT64);
      for (int i = 0; i < 100; i++) {
        many.row("user.age", "u" + i, TIME, (long) i);
      }

      Inserted inserted = insert(session, many.file());

      assertThat(inserted.rejected()).isEmpty();
      assertThat(inserted.rows()).isEqualTo(new Count(100, 0));
    }
  }

  @Test
  public void aRowThatNothingHoldsIsRejectedOnceHoweverOftenItsTableIsTriedAgain()
      throws Exception {
    try (InsertSession session = session(database.uri("retryFor=1m"))) {
      insert(session, file("user.age", "a"));
      refuse(17);
      RowFile many = RowFile.of(ValueType.INT64);
      for (int i = 0; i < 98; i++) {
        many.row("user.age", "u" + i, TIME, (long) i);
      }
      many.row("user.age", "u\0", TIME, 1L).row("user.age", "v\0", TIME, 1L);

      Inserted inserted = insert(session, many.file());

      assertThat(inserted.rejected().stream().mapToInt(each -> each.rows().count()).sum())
          .isEqualTo(2);
      assertThat(inserted.rows()).isEqualTo(new Count(98, 0));
    }
  }

  /** Lets a table refuse some statements, and then take all. */
  private void refuse(int statements) throws Exception {
    database.execute(
        "CREATE SEQUENCE public.tries",
        "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            + " IF nextval('public.tries') <= "
            + statements
            + " THEN RAISE EXCEPTION 'not yet'; END IF; RETURN NULL; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON tailrace.user__age FOR EACH STATEMENT"
            + " EXECUTE FUNCTION public.refuse()");
  }

  @Test
  public void rowsThatAnotherUniqueIndexRefusesAreNotTakenForDuplicates() throws Exception {
    try (InsertSession session = session()) {
      insert(session, file("user.age", "a"));
      database.execute("CREATE UNIQUE INDEX one_each ON tailrace.user__age (pkey)");

      Inserted inserted = insert(session, file("user.age", "b", "a", "c"));

      assertRefused(inserted, 1, "duplicate key value violates unique constraint");
      assertThat(inserted.rows()).isEqualTo(new Count(2, 0));
      assertThat(keys("user__age")).containsExactly("a", "b", "c");
    }
  }

  @Test
  public void aColumnThatSomebodyAddedAndNobodyGivesRefusesAllRows() throws Exception {
    RowFile many = RowFile.of(ValueType.INT64);
    for (int i = 0; i < 1_000; i++) {
      many.row("user.age", "u" + i, TIME, (long) i);
    }
    try (InsertSession session = session()) {
      insert(session, file("user.size", "a"));
      insert(session, RowFile.of(ValueType.INT64).row("user.age", "x", TIME, 1L).file());
      database.execute(
          "DELETE FROM tailrace.user__age",
          "ALTER TABLE tailrace.user__age ADD COLUMN reviewed_by text NOT NULL");

      Inserted inserted = insert(session, many.file(), file("user.size", "b"));

      assertRefused(inserted, 1_000, "null value in column \"reviewed_by\"");
      assertThat(keys("user__size")).containsExactly("a", "b");
    }
  }

  @Test
  public void aTableThatIsLockedKeepsNoOtherWaitingForEver() throws Exception {
    try (InsertSession session = session(database.uri("timeout=1s&retryFor=0s"));
        Connection other = database.connect();
        Statement statement = other.createStatement()) {
      insert(session, file("user.age", "a"), file("user.size", "a"));
      other.setAutoCommit(false);
      statement.execute("LOCK TABLE tailrace.user__age");

      Inserted inserted = insert(session, file("user.age", "b"), file("user.size", "b"));

      assertRefused(inserted, 1, "canceling statement due to");
      assertThat(keys("user__size")).containsExactly("a", "b");
    }
  }

  @Test
  public void noValueIsConvertedIntoATypeThatATableHasGotSince() throws Exception {
    for (Map.Entry<String, String> change :
        Map.of(
                "value TYPE double precision",
                "has value double precision, not bigint",
                "value TYPE numeric",
                "has value numeric, not bigint",
                "observed_at TYPE timestamptz(0)",
                "has observed_at timestamp(0) with time zone, not timestamp with time zone",
                "operation_id TYPE varchar(2)",
                "has operation_id character varying(2), not text")
            .entrySet()) {
      database.execute("DROP SCHEMA IF EXISTS tailrace CASCADE");
      try (InsertSession session = session()) {
        insert(session, file("user.age", "a"));
        database.execute("ALTER TABLE tailrace.user__age ALTER " + change.getKey());

        Inserted inserted = insert(session, file("user.age", "b"), file("user.size", "b"));

        assertThat(inserted.rejected()).hasSize(1);
        assertThat(inserted.rejected().get(0).message()).contains(change.getValue());
        assertThat(keys("user__age")).containsExactly("a");
        assertThat(keys("user__size")).containsExactly("b");
      }
    }
  }

  @Test
  public void whoeverRenamesATableAsTheLetterSaysGetsAnotherAndNoLateValueIsConverted()
      throws Exception {
    ObservationFile text = RowFile.of(ValueType.STRING).row("user.age", "b", TIME, "old").file();
    try (InsertSession session = session()) {
      insert(session, file("user.age", "a"));
      Inserted changed = insert(session, text);
      assertThat(changed.rejected().get(0).reason()).isEqualTo(Reason.TYPE_CHANGED);
      assertThat(changed.rejected().get(0).message()).contains("or rename the old table");

      database.execute("ALTER TABLE tailrace.user__age RENAME TO user__age_until_now");
      try (InsertSession restarted = session()) {
        assertThat(insert(restarted, text).rejected()).isEmpty();
      }
      // A late file of the old type, by who still thinks that the table has it.
      Inserted late = insert(session, file("user.age", "c"));

      assertThat(late.rejected().get(0).message())
          .contains("its table user__age has value text, not bigint");
    }
    assertThat(database.rows("SELECT pkey, value FROM tailrace.user__age"))
        .containsExactly("b|old");
    assertThat(keys("user__age_until_now")).containsExactly("a");
  }

  @Test
  public void whoMayOnlyInsertDoesSoAndTablesThatAreMissingAreLetters() throws Exception {
    try (InsertSession owner = session()) {
      insert(owner, file("user.age", "a"));
    }
    InsertSession any = sessionOfWriter();
    any.close();
    String uri = database.uriOf(role(), role()) + "&retryFor=50ms";
    database.execute(
        "REVOKE ALL ON SCHEMA tailrace FROM " + role(),
        "REVOKE ALL ON ALL TABLES IN SCHEMA tailrace FROM " + role());
    PostgresOfflineStore store = PostgresOfflineStore.at(EndpointUri.parse(uri));
    assertThat(assertThrows(UnavailableException.class, () -> store.check(Set.of(Role.INSERT))))
        .hasMessageThat()
        .contains("GRANT USAGE ON SCHEMA \"tailrace\" TO \"" + role() + "\"");

    database.execute(
        "GRANT USAGE ON SCHEMA tailrace TO " + role(),
        "GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA tailrace TO " + role(),
        "GRANT UPDATE ON tailrace.query_log, tailrace.feature_tables TO " + role());
    store.check(Set.of(Role.INSERT));
    try (InsertSession session = session(uri)) {
      Inserted inserted = insert(session, file("user.age", "b"), file("user.size", "b"));

      assertRefused(inserted, 1, "can't be created or changed: permission denied for schema");
      assertThat(keys("user__age")).containsExactly("a", "b");
    }
  }

  @Test
  public void ofAQueryThatTheLogRefusesAllPartsAreRefused() throws Exception {
    try (InsertSession session = session()) {
      insert(session, file("user.age", "a"));
      database.execute("ALTER TABLE tailrace.query_log ADD COLUMN cost int NOT NULL");

      Inserted inserted = insert(session, query("op"), query("op"), query("other"));

      assertRefused(inserted, 3, "its table query_log refuses it: null value in column");
      assertThat(inserted.rejected().stream().map(Inserted.Rejected::file))
          .containsExactly(0, 1, 2);
      assertThat(inserted.queries()).isEqualTo(Count.NONE);
    }
  }

  private static ObservationFile query(String id) {
    return RowFile.ofQueries().query(id, TIME, Optional.empty(), Map.of()).file();
  }

  @Test
  public void aLogOfQueriesThatRefusesItsRowsKeepsNoFeatureFromItsOwn() throws Exception {
    try (InsertSession session = session()) {
      insert(session, file("user.age", "a"));
      database.execute("ALTER TABLE tailrace.query_log ADD COLUMN cost int NOT NULL");

      Inserted inserted = insert(session, file("user.age", "b"), query("op"));

      assertRefused(inserted, 1, "its table query_log refuses it: null value in column");
      assertThat(keys("user__age")).containsExactly("a", "b");
    }
  }
}

package io.tailrace.sql;

import static com.google.common.truth.Truth.assertThat;
import static io.tailrace.sql.duckdb.DuckDbDialect.DUCKDB;

import io.tailrace.sql.FoundTable.Kind;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is to be done so that there are the tables that are wanted. */
@RunWith(JUnit4.class)
public class TablesTest {
  private static final Column ID = Column.required("id", ColumnType.UUID);
  private static final Column TIME = Column.required("time", ColumnType.TIMESTAMP);
  private static final Column NOTE = Column.optional("note", ColumnType.TEXT);
  private static final Key KEY = Key.of("id").determining("time");

  private static Table wanted(Column... columns) {
    return new Table("t", List.of(columns), KEY);
  }

  private static Table labelled(String owner, Map<String, String> facts) {
    Label label = new Label(Map.of(Label.KIND, owner), facts);
    return new Table("t", List.of(ID), Key.NONE, Optional.of(label), Layout.PLAIN);
  }

  private static FoundTable found(Map<String, String> columns, Set<Set<String>> keys) {
    return new FoundTable(Kind.TABLE, columns, keys, "");
  }

  private static FoundTable saying(String comment) {
    return new FoundTable(Kind.TABLE, Map.of("id", "UUID"), Set.of(), comment);
  }

  private static Tables compare(Table wanted, FoundTable found) {
    return Tables.compare(DUCKDB, List.of(wanted), Map.of("t", found));
  }

  @Test
  public void whatIsMissingIsCreatedOnceAndThenCompared() {
    Table other = wanted(Column.required("id", ColumnType.TEXT));

    Tables tables = Tables.compare(DUCKDB, List.of(wanted(ID), other), Map.of());

    assertThat(tables.missing()).containsExactly(wanted(ID));
    assertThat(tables.conflicts()).isEmpty();
    assertThat(tables.areDone()).isFalse();
  }

  @Test
  public void anOptionalColumnIsAddedAndARequiredOneIsNot() {
    FoundTable narrow = found(Map.of("id", "UUID"), Set.of(Set.of("id")));

    assertThat(compare(wanted(ID, NOTE), narrow).additions())
        .containsExactly(new Tables.Addition(wanted(ID, NOTE), List.of(NOTE)));
    Tables required = compare(wanted(ID, TIME, NOTE), narrow);
    assertThat(required.additions()).isEmpty();
    assertThat(required.areDone()).isTrue();
    assertThat(Tables.sentence(required.conflicts().get(wanted(ID, TIME, NOTE))))
        .isEqualTo("lacks the column time");
  }

  @Test
  public void aColumnOfALaterVersionIsNoConflict() {
    FoundTable wide = found(Map.of("id", "UUID", "new", "JSON"), Set.of(Set.of("id")));

    Tables tables = compare(wanted(ID), wide);

    assertThat(tables.areDone()).isTrue();
    assertThat(tables.conflicts()).isEmpty();
  }

  @Test
  public void everyDifferenceIsNamed() {
    Table wanted = wanted(ID, NOTE);
    FoundTable other = found(Map.of("id", "BIGINT", "note", "BLOB"), Set.of());

    assertThat(Tables.sentence(compare(wanted, other).conflicts().get(wanted)))
        .isEqualTo(
            "has id BIGINT, not UUID and has note BLOB, not VARCHAR and has no primary key on id");
    assertThat(compare(wanted, other).conflicts().get(wanted).get(0))
        .isEqualTo(new Conflict(Conflict.Kind.COLUMN, "id", "BIGINT", "UUID"));
    FoundTable view = new FoundTable(Kind.VIEW, Map.of(), Set.of(), "");
    assertThat(Tables.sentence(compare(wanted, view).conflicts().get(wanted)))
        .isEqualTo("is no table");
  }

  @Test
  public void aKeyMayHaveTheColumnThatItDetermines() {
    Map<String, String> columns = Map.of("id", "UUID", "time", "TIMESTAMPTZ");
    Table wanted = wanted(ID, TIME);

    assertThat(compare(wanted, found(columns, Set.of(Set.of("id")))).conflicts()).isEmpty();
    assertThat(compare(wanted, found(columns, Set.of(Set.of("id", "time")))).conflicts()).isEmpty();
    assertThat(compare(wanted, found(columns, Set.of(Set.of("time")))).conflicts()).hasSize(1);
    assertThat(compare(wanted, found(columns, Set.of(Set.of("id", "x")))).conflicts()).hasSize(1);
  }

  @Test
  public void anothersTableIsAConflictWhateverItsColumns() {
    Table mine = labelled("mine", Map.of());

    assertThat(compare(mine, saying(labelled("yours", Map.of()).label().orElseThrow().line())))
        .isEqualTo(
            new Tables(
                List.of(),
                List.of(),
                List.of(),
                Map.of(
                    mine,
                    List.of(
                        new Conflict(
                            Conflict.Kind.OWNER, "", "{tailrace=yours}", "{tailrace=mine}")))));
  }

  @Test
  public void aTableThatSaysNothingOrLessIsMadeToSayIt() {
    Table mine = labelled("mine", Map.of("value", "text"));
    String all = "{\"tailrace\":\"mine\",\"value\":\"text\"}";

    assertThat(compare(mine, saying("")).comments()).containsExactly(new Tables.Comment(mine, all));
    assertThat(compare(mine, saying("{\"tailrace\":\"mine\"}")).comments())
        .containsExactly(new Tables.Comment(mine, all));
    assertThat(compare(labelled("mine", Map.of()), saying(all)).areDone()).isTrue();
    assertThat(compare(mine, saying(all)).areDone()).isTrue();
  }
}

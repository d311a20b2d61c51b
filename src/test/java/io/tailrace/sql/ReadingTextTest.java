package io.tailrace.sql;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import java.util.List;
import java.util.Optional;
import org.junit.Test;

/** Which texts are sent to a database that is only to be read. */
public class ReadingTextTest {
  @Test
  public void oneStatementThatReadsIsSent() {
    for (String sql :
        List.of(
            "SELECT 1",
            "  select * from user__age where pkey = 'a;b -- c' ; ",
            "-- of today\n/* and; all */ SELECT 1; -- done",
            "(SELECT 1) UNION ALL (SELECT 2)",
            "WITH a AS (SELECT 1 AS n) SELECT n FROM a",
            "SELECT t.update, \"delete\", `merge` FROM t",
            "SELECT 'it''s; DROP TABLE t'",
            "SELECT $$it's; so$$, insert('a', 1, 1, 'b') AS n, replace (a, 'x', 'y')",
            "SELECT replace(a.b, 'x', 'y') AS c FROM (SELECT insert FROM a) a",
            "SHOW TABLES",
            "SELECT '->>' // 2, a // b",
            "DESCRIBE TABLE t",
            "VALUES (1)")) {
      assertWithMessage(sql).that(ReadingText.whyNot(sql)).isEqualTo(Optional.empty());
    }
  }

  @Test
  public void whatWritesOrIsMoreThanOneIsNot() {
    for (String sql :
        List.of(
            "",
            "-- SELECT 1",
            "DROP TABLE t",
            "insert into t values (1)",
            "/* SELECT */ DELETE FROM t",
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            "WITH a AS (SELECT '\\'') INSERT INTO t SELECT * FROM a",
            "with a as (select 1) merge into t using a on true when matched then delete",
            "SELECT 1 INTO t",
            "EXPLAIN ANALYZE DELETE FROM t",
            "WITH p AS PROCEDURE () RETURNS INT AS $$ BEGIN END $$ CALL p()",
            "CALL p()")) {
      assertThat(ReadingText.whyNot(sql).orElse(sql + " is sent")).startsWith("only queries are");
    }
    for (String sql :
        List.of(
            "SELECT 1; DROP TABLE t",
            "SELECT 1; COMMIT; DROP TABLE t",
            "SELECT ''; SELECT 2",
            "SELECT 1 ->> DROP TABLE t",
            "SELECT 1 // it's\n ->> DELETE FROM t",
            "SELECT $a$'$a$; COMMIT; DROP TABLE t -- '")) {
      assertThat(ReadingText.whyNot(sql).orElse(sql + " is sent")).startsWith("only one query");
    }
  }
}

package io.tailrace.parquet;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.bus.BusMessage;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.parquet.ObservationEncoder.Query;
import io.tailrace.result.Result;
import io.tailrace.result.ResultDecoder;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.junit.Test;

/** What the columns of the log of queries are, and that a later version may add one. */
public class QueryLogTest {
  private static final QueryLog.Column RUN_ID =
      QueryLog.Column.text("run_id", query -> "run of " + query.result().operationId());
  private static final QueryLog.Column PLANNED_AT =
      QueryLog.Column.time("planned_at", query -> OptionalLong.of(RandomResults.START + 7));
  private static final QueryLog.Column TAGS =
      QueryLog.Column.texts("tags", query -> List.of("a", "b"));

  /** The list of a later version: a column of each type more. */
  private static final QueryLog LATER = QueryLog.CURRENT.with(RUN_ID).with(PLANNED_AT).with(TAGS);

  @Test
  public void theColumnsOfTheContract() {
    assertThat(QueryLog.CURRENT.columns().stream().map(QueryLog.Column::name))
        .containsExactly(
            "operation_id",
            "environment_id",
            "deployment_id",
            "operation_kind",
            "query_timestamp",
            "execution_started_at",
            "execution_finished_at",
            "query_status",
            "query_name",
            "query_name_version",
            "branch_name",
            "correlation_id",
            "trace_id",
            "agent_id",
            "query_plan_id",
            "meta_query_hash",
            "value_tables")
        .inOrder();
  }

  @Test
  public void aFileOfALaterVersionIsReadWithoutTheColumnsThatAreNotKnown() throws Exception {
    BusMessage message = encoded(LATER);

    ObservationFile file = FileDecoder.decode(message);

    assertThat(file.queries()).isEqualTo(FileDecoder.decode(encoded(QueryLog.CURRENT)).queries());
  }

  @Test
  public void aFileWithoutALaterColumnIsReadAsIfItWereNull() throws Exception {
    BusMessage message = encoded(QueryLog.CURRENT);

    List<QueryRow> rows = FileDecoder.decode(message, LATER).queries(LATER);

    assertThat(rows).hasSize(1);
    assertThat(RUN_ID.text(rows.get(0))).isEmpty();
    assertThat(PLANNED_AT.time(rows.get(0))).isEqualTo(OptionalLong.empty());
    assertThat(TAGS.texts(rows.get(0))).isEmpty();
  }

  @Test
  public void aLaterVersionReadsItsOwnColumns() throws Exception {
    QueryRow row = FileDecoder.decode(encoded(LATER), LATER).queries(LATER).get(0);

    assertThat(RUN_ID.text(row)).hasValue("run of op-1");
    assertThat(PLANNED_AT.time(row)).isEqualTo(OptionalLong.of(RandomResults.START + 7));
    assertThat(TAGS.texts(row)).hasValue(List.of("a", "b"));
  }

  @Test
  public void anEmptyTextIsNullAndAnEmptyListIsNot() throws Exception {
    QueryRow row = FileDecoder.decode(encoded(QueryLog.CURRENT)).queries().get(0);

    assertThat(row.texts()).doesNotContainKey("trace_id");
    assertThat(row.valueTables()).isEmpty();
  }

  @Test
  public void aKindOrStatusOfALaterVersionIsItsNumber() throws Exception {
    QueryResult result = Results.named("op-1").setOperationKindValue(77).setStatusValue(78).build();

    QueryRow row = FileDecoder.decode(encoded(QueryLog.CURRENT, result)).queries().get(0);

    assertThat(Map.of("kind", row.operationKind(), "status", row.status()))
        .containsExactly("kind", "77", "status", "78");
  }

  private static BusMessage encoded(QueryLog log) throws Exception {
    return encoded(log, Results.named("op-1").setQueryName("profile").build());
  }

  private static BusMessage encoded(QueryLog log, QueryResult result) throws Exception {
    Result decoded = new ResultDecoder().decode(BundleEncoder.message(result.toByteArray()));
    try (ObservationEncoder encoder = new ObservationEncoder(log)) {
      return BundleEncoder.message(
          encoder.queries(
              "production", List.of(new Query(decoded, List.of())), BundleEncoder.PUBLISHED_AT));
    }
  }
}

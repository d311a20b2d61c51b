package io.tailrace.offline;

import static com.google.common.truth.Truth.assertThat;

import io.tailrace.offline.GatheredRows.Destination;
import io.tailrace.result.Column;
import io.tailrace.result.Frame;
import io.tailrace.result.Result;
import io.tailrace.result.ResultDecoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.Messages;
import io.tailrace.testing.RandomResults;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.junit.Test;

/** That rows go to the same places whatever objects they come with. */
public class GatheredRowsTest {
  private static final int RESULTS = 60;

  private final GatheredRows rows = new GatheredRows();
  private final List<QueryResult> results = new ArrayList<>();

  public GatheredRowsTest() {
    RandomResults random = RandomResults.seeded(3);
    for (int i = 0; i < RESULTS; i++) {
      results.add(random.next().toBuilder().setEnvironmentId(i % 3 == 0 ? "dev" : "prod").build());
    }
  }

  @Test
  public void columnsThatShareNoObjectGoWhereThoseGoThatDo() throws Exception {
    ResultDecoder decoder = new ResultDecoder();
    Set<Destination> shared = destinations(() -> decoder);
    long held = rows.heldBytes();

    assertThat(destinations(ResultDecoder::new)).isEqualTo(shared);
    assertThat(rows.heldBytes()).isEqualTo(held);
  }

  @Test
  public void eachFeatureOfAnEnvironmentATypeAndAKindOfKeysIsOneDestination() throws Exception {
    Set<List<Object>> expected = new HashSet<>();
    for (QueryResult each : results) {
      Result result = decode(new ResultDecoder(), each);
      for (Frame frame : result.frames()) {
        for (Column column : frame.columns()) {
          expected.add(
              List.of(
                  result.environmentId(),
                  column.spec().feature(),
                  column.spec().type(),
                  frame.keys().areStrings()));
        }
      }
    }

    assertThat(destinations(ResultDecoder::new)).hasSize(expected.size());
  }

  @Test
  public void whereRowsWentIsForgottenWithThem() throws Exception {
    Set<Destination> before = destinations(ResultDecoder::new);
    rows.clear();
    Set<Destination> after = destinations(ResultDecoder::new);

    assertThat(after).hasSize(before.size());
    after.retainAll(before);
    assertThat(after).isEmpty();
  }

  private Set<Destination> destinations(Supplier<ResultDecoder> decoders)
      throws InvalidMessageException {
    Set<Destination> destinations = new LinkedHashSet<>();
    for (QueryResult each : results) {
      Result result = decode(decoders.get(), each);
      for (Frame frame : result.frames()) {
        for (Column column : frame.columns()) {
          destinations.add(rows.environment(result.environmentId()).of(frame, column.spec()));
        }
      }
    }
    return destinations;
  }

  private static Result decode(ResultDecoder decoder, QueryResult result)
      throws InvalidMessageException {
    return decoder.decode(Messages.of(result, BundleEncoder.PUBLISHED_AT));
  }
}

package io.tailrace.offline.bigquery;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.offline.bigquery.AppendedRow.Asked;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.QueryRow;
import io.tailrace.result.ValueType;
import io.tailrace.testing.FrozenBytes;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.util.CoderUtils;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** That rows on their way outlive the version that wrote them. */
@RunWith(JUnit4.class)
public class AppendedRowCoderTest {
  private static byte[] text(String text) {
    return text.getBytes(UTF_8);
  }

  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    AppendedRow full =
        new AppendedRow(
            new Destination(
                "my-project",
                "production",
                "user__größe__rows",
                Shape.values(true, ValueType.FLOAT64)),
            FrozenBytes.fullMessage(new byte[0]),
            "production",
            new Observed(
                new LooseRow(
                    new LooseRow.Name("user", "user.größe"),
                    new LooseRow.Key(text("0123456789abcdef"), text("ann"), 0),
                    -1,
                    new LooseRow.Value(
                        LooseRow.State.VALUE, Double.doubleToLongBits(1.5), text("")),
                    new LooseRow.Source(text("r.get"), text("d-1"), text("op-1"))),
                true,
                Optional.of(ValueType.FLOAT64)));
    AppendedRow empty =
        new AppendedRow(
            new Destination("", "", "", Shape.QUERIES),
            FrozenBytes.bareMessage(new byte[0]),
            "",
            new Asked(
                new QueryRow(
                    Map.of("operation_id", "op-1"),
                    Map.of("query_timestamp", 1L),
                    Map.of("value_tables", List.of("a__b", "c__d")))));

    FrozenBytes ofFull = FrozenBytes.of("AppendedRowCoder", "full");
    FrozenBytes ofEmpty = FrozenBytes.of("AppendedRowCoder", "empty");
    AppendedRow readFull = ofFull.writtenFor(AppendedRowCoder.of(), full);
    // Arrays are not equal to each other.
    assertThat(CoderUtils.encodeToByteArray(AppendedRowCoder.of(), readFull))
        .isEqualTo(ofFull.bytes());
    assertThat(ofEmpty.writtenFor(AppendedRowCoder.of(), empty)).isEqualTo(empty);
  }

  @Test
  public void everyDestinationIsReadFromItsText() {
    for (ValueType type : ValueType.values()) {
      for (boolean stringKeys : new boolean[] {true, false}) {
        Destination destination =
            new Destination("my-project", "d", "t", Shape.values(stringKeys, type));
        assertThat(Destination.parse(destination.text())).isEqualTo(destination);
      }
    }
    for (Shape shape : List.of(Shape.deletions(true), Shape.QUERIES, Shape.LATEST)) {
      assertThat(Shape.parse(shape.text())).isEqualTo(shape);
    }
  }
}

package io.tailrace.offline.bigquery;

import io.tailrace.bus.BusMessageCoder;
import io.tailrace.offline.bigquery.AppendedRow.Asked;
import io.tailrace.offline.bigquery.AppendedRow.Content;
import io.tailrace.offline.bigquery.AppendedRow.Observed;
import io.tailrace.parquet.LooseRow;
import io.tailrace.parquet.QueryRow;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.List;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BigEndianLongCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.ListCoder;
import org.apache.beam.sdk.coders.MapCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes an {@link AppendedRow}: its fields, one behind the other. Deterministic. */
final class AppendedRowCoder extends AtomicCoder<AppendedRow> {
  private static final long serialVersionUID = 1;
  private static final AppendedRowCoder INSTANCE = new AppendedRowCoder();

  private static final StringUtf8Coder TEXT = StringUtf8Coder.of();
  private static final ByteArrayCoder BYTES = ByteArrayCoder.of();
  private static final BigEndianLongCoder LONG = BigEndianLongCoder.of();
  private static final VarIntCoder INT = VarIntCoder.of();
  private static final MapCoder<String, String> TEXTS = MapCoder.of(TEXT, TEXT);
  private static final MapCoder<String, Long> TIMES = MapCoder.of(TEXT, LONG);
  private static final MapCoder<String, List<String>> LISTS = MapCoder.of(TEXT, ListCoder.of(TEXT));

  private static final int QUERY = 0;
  private static final int OF_STRING_KEY = 1;
  private static final int OF_INTEGER_KEY = 2;
  private static final int NO_TYPE = 0;

  private AppendedRowCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(AppendedRow.class), INSTANCE);
  }

  static AppendedRowCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(AppendedRow row, OutputStream out) throws IOException {
    TEXT.encode(row.destination().text(), out);
    BusMessageCoder.of().encode(row.origin(), out);
    TEXT.encode(row.environment(), out);
    if (row.content() instanceof Asked asked) {
      INT.encode(QUERY, out);
      TEXTS.encode(new TreeMap<>(asked.row().texts()), out);
      TIMES.encode(new TreeMap<>(asked.row().times()), out);
      LISTS.encode(new TreeMap<>(asked.row().lists()), out);
    } else if (row.content() instanceof Observed observed) {
      INT.encode(observed.stringKeys() ? OF_STRING_KEY : OF_INTEGER_KEY, out);
      INT.encode(observed.valueType().map(ValueType::code).orElse(NO_TYPE), out);
      encode(observed.row(), out);
    }
  }

  @Override
  public AppendedRow decode(InputStream in) throws IOException {
    return new AppendedRow(
        Destination.parse(TEXT.decode(in)),
        BusMessageCoder.of().decode(in),
        TEXT.decode(in),
        decodeContent(in));
  }

  private static Content decodeContent(InputStream in) throws IOException {
    int kind = INT.decode(in);
    if (kind == QUERY) {
      return new Asked(new QueryRow(TEXTS.decode(in), TIMES.decode(in), LISTS.decode(in)));
    }
    int type = INT.decode(in);
    return new Observed(
        decodeRow(in),
        kind == OF_STRING_KEY,
        type == NO_TYPE ? Optional.empty() : Optional.of(ValueType.ofCode(type)));
  }

  private static void encode(LooseRow row, OutputStream out) throws IOException {
    TEXT.encode(row.name().namespace(), out);
    TEXT.encode(row.name().feature(), out);
    BYTES.encode(row.key().id(), out);
    BYTES.encode(row.key().text(), out);
    LONG.encode(row.key().number(), out);
    LONG.encode(row.observedAt(), out);
    INT.encode(row.value().state().code(), out);
    LONG.encode(row.value().number(), out);
    BYTES.encode(row.value().bytes(), out);
    BYTES.encode(row.source().resolverFqn(), out);
    BYTES.encode(row.source().deploymentId(), out);
    BYTES.encode(row.source().operationId(), out);
  }

  private static LooseRow decodeRow(InputStream in) throws IOException {
    return new LooseRow(
        new LooseRow.Name(TEXT.decode(in), TEXT.decode(in)),
        new LooseRow.Key(BYTES.decode(in), BYTES.decode(in), LONG.decode(in)),
        LONG.decode(in),
        new LooseRow.Value(LooseRow.State.of(INT.decode(in)), LONG.decode(in), BYTES.decode(in)),
        new LooseRow.Source(BYTES.decode(in), BYTES.decode(in), BYTES.decode(in)));
  }

  @Override
  public void verifyDeterministic() {}
}

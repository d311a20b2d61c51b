package io.tailrace.stage;

import io.tailrace.bus.BusMessageCoder;
import io.tailrace.stage.Failure.Cause;
import io.tailrace.stage.Failure.Cells;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.ByteArrayCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.NullableCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes a {@link Failure}. Deterministic. */
public final class FailureCoder extends AtomicCoder<Failure> {
  private static final long serialVersionUID = 1;
  private static final FailureCoder INSTANCE = new FailureCoder();
  private static final StringUtf8Coder TEXT = StringUtf8Coder.of();
  private static final VarIntCoder INT = VarIntCoder.of();
  private static final NullableCoder<byte[]> ROWS = NullableCoder.of(ByteArrayCoder.of());

  private FailureCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(Failure.class), INSTANCE);
  }

  /** Returns the coder. */
  public static FailureCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(Failure failure, OutputStream out) throws IOException {
    TEXT.encode(failure.stage(), out);
    encode(failure.reason(), out);
    TEXT.encode(failure.field(), out);
    TEXT.encode(failure.message(), out);
    INT.encode(failure.cells().size(), out);
    for (RejectedCell cell : failure.cells()) {
      encode(cell.reason(), out);
      TEXT.encode(cell.namespace(), out);
      TEXT.encode(cell.key(), out);
      TEXT.encode(cell.feature(), out);
      TEXT.encode(cell.message(), out);
    }
    INT.encode(failure.reasons().size(), out);
    for (Map.Entry<Reason, Integer> each : failure.reasons().entrySet()) {
      encode(each.getKey(), out);
      INT.encode(each.getValue(), out);
    }
    BusMessageCoder.of().encode(failure.original(), out);
    ROWS.encode(failure.rows().orElse(null), out);
  }

  @Override
  public Failure decode(InputStream in) throws IOException {
    String stage = TEXT.decode(in);
    Cause cause = new Cause(reason(in), TEXT.decode(in), TEXT.decode(in));
    int listed = INT.decode(in);
    List<RejectedCell> cells = new ArrayList<>(listed);
    for (int i = 0; i < listed; i++) {
      cells.add(
          new RejectedCell(
              reason(in), TEXT.decode(in), TEXT.decode(in), TEXT.decode(in), TEXT.decode(in)));
    }
    Map<Reason, Integer> reasons = new EnumMap<>(Reason.class);
    for (int left = INT.decode(in); left > 0; left--) {
      reasons.merge(reason(in), INT.decode(in), Integer::sum);
    }
    return new Failure(
        stage,
        cause,
        new Cells(cells, reasons),
        BusMessageCoder.of().decode(in),
        Optional.ofNullable(ROWS.decode(in)));
  }

  private static void encode(Reason reason, OutputStream out) throws IOException {
    INT.encode(reason == Reason.UNRECOGNIZED ? 0 : reason.getNumber(), out);
  }

  /** A reason of a later version comes from a restored state. */
  private static Reason reason(InputStream in) throws IOException {
    Reason reason = Reason.forNumber(INT.decode(in));
    return reason == null ? Reason.REASON_UNSPECIFIED : reason;
  }

  @Override
  public void verifyDeterministic() {}
}

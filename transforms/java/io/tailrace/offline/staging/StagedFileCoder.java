package io.tailrace.offline.staging;

import io.tailrace.bus.BusMessageCoder;
import io.tailrace.offline.staging.StagedFile.Size;
import io.tailrace.parquet.ObservationFile.Kind;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.Arrays;
import java.util.Optional;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.BooleanCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.coders.VarLongCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/** Encodes a {@link StagedFile}, behind the version of its layout. Deterministic. */
public final class StagedFileCoder extends AtomicCoder<StagedFile> {
  private static final long serialVersionUID = 1;
  private static final StagedFileCoder INSTANCE = new StagedFileCoder();
  private static final StringUtf8Coder TEXT = StringUtf8Coder.of();
  private static final VarLongCoder LONG = VarLongCoder.of();
  private static final VarIntCoder INT = VarIntCoder.of();
  private static final BooleanCoder BOOL = BooleanCoder.of();

  private static final int VERSION = 1;
  private static final int OBSERVATIONS = 1;
  private static final int QUERIES = 2;
  private static final int NO_TYPE = 0;

  private StagedFileCoder() {}

  /** Lets Beam find the coder. */
  public static CoderProvider getCoderProvider() {
    return CoderProviders.forCoder(TypeDescriptor.of(StagedFile.class), INSTANCE);
  }

  /** Returns the coder. */
  public static StagedFileCoder of() {
    return INSTANCE;
  }

  @Override
  public void encode(StagedFile file, OutputStream out) throws IOException {
    INT.encode(VERSION, out);
    TEXT.encode(file.stage(), out);
    TEXT.encode(file.name(), out);
    TEXT.encode(file.type().environment(), out);
    INT.encode(file.type().kind() == Kind.QUERIES ? QUERIES : OBSERVATIONS, out);
    BOOL.encode(file.type().stringKeys(), out);
    INT.encode(file.type().valueType().map(ValueType::code).orElse(NO_TYPE), out);
    LONG.encode(file.size().bytes(), out);
    LONG.encode(file.size().rows(), out);
    LONG.encode(file.size().publishedFrom(), out);
    BusMessageCoder.of().encode(file.origin(), out);
  }

  @Override
  public StagedFile decode(InputStream in) throws IOException {
    int version = INT.decode(in);
    if (version != VERSION) {
      throw new IOException(
          "a reference to a staged file has version "
              + version
              + "; this program knows "
              + VERSION
              + ": start the version that wrote it, or a later one");
    }
    return new StagedFile(
        TEXT.decode(in),
        TEXT.decode(in),
        new StagedFile.Type(
            TEXT.decode(in), kind(INT.decode(in)), BOOL.decode(in), type(INT.decode(in))),
        new Size(LONG.decode(in), LONG.decode(in), LONG.decode(in)),
        BusMessageCoder.of().decode(in));
  }

  private static Kind kind(int code) throws IOException {
    return switch (code) {
      case OBSERVATIONS -> Kind.OBSERVATIONS;
      case QUERIES -> Kind.QUERIES;
      default -> throw new IOException("a reference to a staged file has the kind " + code);
    };
  }

  private static Optional<ValueType> type(int code) throws IOException {
    if (code == NO_TYPE) {
      return Optional.empty();
    }
    return Optional.of(
        Arrays.stream(ValueType.values())
            .filter(type -> type.code() == code)
            .findFirst()
            .orElseThrow(
                () -> new IOException("a reference to a staged file has the type " + code)));
  }

  @Override
  public void verifyDeterministic() {}
}

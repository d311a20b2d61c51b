package io.tailrace.metrics;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import org.apache.beam.sdk.coders.AtomicCoder;
import org.apache.beam.sdk.coders.CoderProvider;
import org.apache.beam.sdk.coders.CoderProviders;
import org.apache.beam.sdk.coders.DefaultCoder;
import org.apache.beam.sdk.coders.StringUtf8Coder;
import org.apache.beam.sdk.coders.VarIntCoder;
import org.apache.beam.sdk.values.TypeDescriptor;

/**
 * Names a series of summaries. Immutable.
 *
 * @param kind what it is about
 * @param environment the environment
 * @param name the feature, the query's name or the publisher's id; empty for queries without one
 *     and where the kind is of all that are beyond the limit
 * @param deployment of a feature's series; otherwise empty
 * @param resolver of a feature's series; otherwise empty
 */
@DefaultCoder(SeriesKey.KeyCoder.class)
record SeriesKey(Kind kind, String environment, String name, String deployment, String resolver) {
  private static final int MAX_BYTES_OF_CHAR = 3;

  /** What a series is about. */
  enum Kind {
    /** A feature, as one resolver computes it in one deployment. */
    FEATURE(0),
    /** A named query. */
    QUERY(1),
    /** All features beyond the limit together. */
    OTHER_FEATURES(2),
    /** All queries beyond the limit together. */
    OTHER_QUERIES(3),
    /** Who numbers the results that it publishes. */
    PUBLISHER(4),
    /** All publishers beyond the limit together. */
    OTHER_PUBLISHERS(5);

    private static final Kind[] BY_CODE = values();

    // Part of the state of jobs.
    private final int code;

    Kind(int code) {
      this.code = code;
    }

    void encode(OutputStream out) throws IOException {
      VarIntCoder.of().encode(code, out);
    }

    static Kind decode(InputStream in) throws IOException {
      return BY_CODE[VarIntCoder.of().decode(in)];
    }

    boolean isOverflow() {
      return overflow() == this;
    }

    /** Returns the kind of the series of everything of this kind that is beyond the limit. */
    Kind overflow() {
      return switch (this) {
        case FEATURE, OTHER_FEATURES -> OTHER_FEATURES;
        case QUERY, OTHER_QUERIES -> OTHER_QUERIES;
        case PUBLISHER, OTHER_PUBLISHERS -> OTHER_PUBLISHERS;
      };
    }
  }

  static SeriesKey ofFeature(
      String environment, String deployment, String feature, String resolver) {
    return new SeriesKey(Kind.FEATURE, environment, feature, deployment, resolver);
  }

  static SeriesKey ofQuery(String environment, String name) {
    return new SeriesKey(Kind.QUERY, environment, name, "", "");
  }

  static SeriesKey ofPublisher(String environment, String id) {
    return new SeriesKey(Kind.PUBLISHER, environment, id, "", "");
  }

  /** Returns whether a store takes its names; see {@link SummaryDecoder}. */
  boolean isStorable() {
    if (hasNul(name) || hasNul(deployment) || hasNul(resolver)) {
      return false;
    }
    int length = environment.length() + name.length() + deployment.length() + resolver.length();
    return length <= SummaryDecoder.MAX_KEY_BYTES / MAX_BYTES_OF_CHAR
        || bytes(environment) + bytes(name) + bytes(deployment) + bytes(resolver)
            <= SummaryDecoder.MAX_KEY_BYTES;
  }

  private static boolean hasNul(String text) {
    return text.indexOf(0) >= 0;
  }

  private static int bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** Returns the series of everything of this kind that is beyond the limit. */
  SeriesKey overflow() {
    return new SeriesKey(kind.overflow(), environment, "", "", "");
  }

  /** Encodes a {@link SeriesKey}; part of the state of jobs. */
  static final class KeyCoder extends AtomicCoder<SeriesKey> {
    private static final long serialVersionUID = 1;
    private static final KeyCoder INSTANCE = new KeyCoder();

    private KeyCoder() {}

    /** Lets Beam find the coder. */
    public static CoderProvider getCoderProvider() {
      return CoderProviders.forCoder(TypeDescriptor.of(SeriesKey.class), INSTANCE);
    }

    /** Returns the coder. */
    public static KeyCoder of() {
      return INSTANCE;
    }

    @Override
    public void encode(SeriesKey key, OutputStream out) throws IOException {
      key.kind.encode(out);
      StringUtf8Coder.of().encode(key.environment, out);
      StringUtf8Coder.of().encode(key.name, out);
      StringUtf8Coder.of().encode(key.deployment, out);
      StringUtf8Coder.of().encode(key.resolver, out);
    }

    @Override
    public SeriesKey decode(InputStream in) throws IOException {
      return new SeriesKey(
          Kind.decode(in),
          StringUtf8Coder.of().decode(in),
          StringUtf8Coder.of().decode(in),
          StringUtf8Coder.of().decode(in),
          StringUtf8Coder.of().decode(in));
    }

    @Override
    public void verifyDeterministic() {}

    @Override
    public boolean consistentWithEquals() {
      return true;
    }
  }
}

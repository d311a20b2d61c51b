package io.tailrace.online.redis;

import io.tailrace.endpoint.Micros;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityWrite;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.util.HexFormat;

/** The script that writes entities, and the arguments it takes. Stateless and thread-safe. */
final class WriteScript {
  /**
   * Times until which keys are kept are multiples of this many microseconds, about 18 minutes: so a
   * key's TTL is set anew only now and then, and Lua's doubles hold the times exactly.
   */
  static final long KEEP_GRANULARITY = 1L << 30;

  /** Features of one entity that one call may write: Lua's stack holds twice as many arguments. */
  static final int MAX_FEATURES = 1_000;

  static final byte[] SOURCE = load();
  static final byte[] SHA = sha1(SOURCE);

  private WriteScript() {}

  private static byte[] load() {
    try (InputStream in = WriteScript.class.getResourceAsStream("write_entities.lua")) {
      if (in == null) {
        throw new IllegalStateException("write_entities.lua is missing from the class path");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] sha1(byte[] source) {
    try {
      return HexFormat.of()
          .formatHex(MessageDigest.getInstance("SHA-1").digest(source))
          .getBytes(StandardCharsets.US_ASCII);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-1", e);
    }
  }

  /**
   * A part of an entity's write that one call sends: all of it, unless it has very many features.
   */
  record Piece(EntityWrite write, byte[] key, int from, int to, long fence) {
    int features() {
      return to - from;
    }
  }

  /**
   * Packs the features of a piece, as the script unpacks them: https://msgpack.org, strings only.
   */
  static byte[] features(Piece piece, NameBytes names) {
    int length = 0;
    for (int i = piece.from(); i < piece.to(); i++) {
      length += packedLength(names.of(i, piece.write().name(i)).length);
      length += packedLength(piece.write().cell(i).length);
    }
    byte[] packed = new byte[length];
    int position = 0;
    for (int i = piece.from(); i < piece.to(); i++) {
      position = pack(names.of(i, piece.write().name(i)), packed, position);
      position = pack(piece.write().cell(i), packed, position);
    }
    return packed;
  }

  private static int packedLength(int length) {
    return length + (length < 32 ? 1 : length < 256 ? 2 : length < 65_536 ? 3 : 5);
  }

  private static int pack(byte[] bytes, byte[] target, int start) {
    int length = bytes.length;
    int position = start;
    if (length < 32) {
      target[position++] = (byte) (0xA0 | length);
    } else if (length < 256) {
      target[position++] = (byte) 0xD9;
      target[position++] = (byte) length;
    } else if (length < 65_536) {
      target[position++] = (byte) 0xDA;
      target[position++] = (byte) (length >>> 8);
      target[position++] = (byte) length;
    } else {
      target[position++] = (byte) 0xDB;
      target[position++] = (byte) (length >>> 24);
      target[position++] = (byte) (length >>> 16);
      target[position++] = (byte) (length >>> 8);
      target[position++] = (byte) length;
    }
    System.arraycopy(bytes, 0, target, position, length);
    return position + length;
  }

  /** Builds the head of a piece; its layout is described in the script. */
  static byte[] head(Piece piece, long nowMicros, Duration grace) {
    long least = Long.MAX_VALUE;
    long greatest = piece.fence();
    boolean expired = false;
    for (int i = piece.from(); i < piece.to(); i++) {
      byte[] cell = piece.write().cell(i);
      long time = Cell.observedAt(cell);
      least = Math.min(least, time);
      greatest = Math.max(greatest, time);
      expired |= isExpired(cell, nowMicros);
    }
    boolean contested = expired || piece.fence() != EntityWrite.NO_FENCE;
    int length = contested ? 32 + piece.features() : least == greatest ? 24 : 32;
    ByteBuffer head = ByteBuffer.allocate(Math.max(length, contested ? 33 : 0));
    head.putLong(Cell.sortable(greatest))
        .putLong(Cell.sortable(piece.fence()))
        .putLong(Cell.sortable(keptUntil(piece.write().keptUntil(), grace)));
    if (length > 24) {
      head.putLong(Cell.sortable(least));
    }
    if (contested) {
      for (int i = piece.from(); i < piece.to(); i++) {
        head.put((byte) (isExpired(piece.write().cell(i), nowMicros) ? '1' : '0'));
      }
    }
    return head.array();
  }

  private static boolean isExpired(byte[] cell, long nowMicros) {
    long expiresAt = Cell.expiresAt(cell);
    return expiresAt <= nowMicros && expiresAt != Cell.NEVER;
  }

  /** Adds the grace and rounds up; what would not fit is for ever. */
  static long keptUntil(long until, Duration grace) {
    long graceMicros = Micros.of(grace);
    if (until >= Long.MAX_VALUE - graceMicros - KEEP_GRANULARITY) {
      return Cell.NEVER;
    }
    return -Math.floorDiv(-(until + graceMicros), KEEP_GRANULARITY) * KEEP_GRANULARITY;
  }
}

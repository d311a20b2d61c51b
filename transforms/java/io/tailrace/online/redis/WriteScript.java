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
import java.util.Arrays;
import java.util.HexFormat;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol;

/** The script that writes entities, and the arguments it takes. Stateless and thread-safe. */
final class WriteScript {
  /**
   * Times until which keys are kept, and from which on something in them is over, are multiples of
   * this many microseconds, about 18 minutes: so that a key's TTL is set anew, and a hash is tidied
   * up, only now and then, and Lua's doubles hold the times exactly.
   */
  static final long GRANULE = 1L << 30;

  // Granules are counted from here, so that four bytes without a sign hold them.
  private static final long GRANULE_ORIGIN = 1L << 31;
  private static final int NEVER_DUE = -1;
  private static final long LAST_DUE = 0xFFFF_FFFEL;

  /** Bytes of a head whose cells have one time, and of one that says more. */
  private static final int SHORT_HEAD = 28;

  private static final int COMPLETE_HEAD = 44;

  /** Features of one entity that one call may write: Lua's stack holds twice as many arguments. */
  static final int MAX_FEATURES = 1_000;

  private static final byte[] TRIAL_FIELD = "trial".getBytes(StandardCharsets.US_ASCII);

  /** Of a string in MessagePack. */
  private static final int MAX_STRING_HEADER = 5;

  static final byte[] SOURCE = read();
  static final byte[] SHA = sha1(SOURCE);

  private WriteScript() {}

  private static byte[] read() {
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

  /** Returns the command that loads the script. */
  static CommandArguments load() {
    return new CommandArguments(Protocol.Command.SCRIPT).add("LOAD").add(SOURCE);
  }

  /** Returns the arguments of a call that writes a key which is over at once: a trial. */
  static ScriptCall trial(byte[] key) {
    byte[] cell = Cell.encodeTombstone(0);
    byte[] features = new byte[2 * MAX_STRING_HEADER + TRIAL_FIELD.length + cell.length];
    int length = pack(cell, features, pack(TRIAL_FIELD, features, 0));
    ByteBuffer head = ByteBuffer.allocate(SHORT_HEAD);
    head.putLong(Cell.sortable(0)).putLong(Cell.sortable(EntityWrite.NO_FENCE));
    head.putLong(Cell.sortable(0)).putInt(NEVER_DUE);
    return new ScriptCall()
        .with(SHA)
        .with("1".getBytes(StandardCharsets.US_ASCII))
        .with(key)
        .with(head.array())
        .with(Arrays.copyOf(features, length))
        .with(clock(0, 0));
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
  static byte[] head(Piece piece, long nowMicros, long graceMicros) {
    long least = Long.MAX_VALUE;
    long greatest = piece.fence();
    // Of what is not kept by the time of the entity: tombstones are.
    long firstExpiry = Cell.NEVER;
    long lastExpiry = Long.MIN_VALUE;
    boolean expired = false;
    for (int i = piece.from(); i < piece.to(); i++) {
      byte[] cell = piece.write().cell(i);
      long time = Cell.observedAt(cell);
      least = Math.min(least, time);
      greatest = Math.max(greatest, time);
      if (!Cell.isTombstone(cell)) {
        long expiresAt = Cell.expiresAt(cell);
        firstExpiry = Math.min(firstExpiry, expiresAt);
        lastExpiry = Math.max(lastExpiry, expiresAt);
        expired |= isExpired(expiresAt, nowMicros);
      }
    }
    long remembered = piece.write().rememberedUntil();
    boolean remembers = remembered != EntityWrite.NOTHING;
    boolean contested = expired || piece.fence() != EntityWrite.NO_FENCE;
    // A head that is contested is longer than one that is not, also without a cell.
    int length =
        contested
            ? COMPLETE_HEAD + Math.max(1, piece.features())
            : least == greatest && !remembers ? SHORT_HEAD : COMPLETE_HEAD;
    ByteBuffer head = ByteBuffer.allocate(length);
    head.putLong(Cell.sortable(greatest))
        .putLong(Cell.sortable(piece.fence()))
        .putLong(Cell.sortable(keptUntil(Math.max(lastExpiry, remembered), graceMicros)))
        .putInt(dueFrom(firstExpiry, graceMicros, remembered));
    if (length > SHORT_HEAD) {
      head.putLong(remembers ? Cell.sortable(remembered) : 0).putLong(Cell.sortable(least));
    }
    if (contested) {
      for (int i = piece.from(); i < piece.to(); i++) {
        byte[] cell = piece.write().cell(i);
        head.put(
            (byte)
                (!Cell.isTombstone(cell) && isExpired(Cell.expiresAt(cell), nowMicros)
                    ? '1'
                    : '0'));
      }
    }
    return head.array();
  }

  /** Builds what stands behind the heads and features of a call: its clock. */
  static byte[] clock(long nowMicros, long graceMicros) {
    return ByteBuffer.allocate(16)
        .putLong(Cell.sortable(nowMicros))
        .putLong(Cell.sortable(Micros.plus(nowMicros, -graceMicros)))
        .array();
  }

  private static boolean isExpired(long expiresAt, long nowMicros) {
    return expiresAt <= nowMicros && expiresAt != Cell.NEVER;
  }

  /** Adds the grace and goes to the end of the granule; what would not fit is for ever. */
  static long keptUntil(long until, long graceMicros) {
    long granule = granule(until, graceMicros);
    return granule > Long.MAX_VALUE / GRANULE ? Cell.NEVER : granule * GRANULE;
  }

  /** Returns the granule from which on something is over, counted as the script does. */
  private static int dueFrom(long firstExpiry, long graceMicros, long remembered) {
    long first = Long.MAX_VALUE;
    if (firstExpiry != Cell.NEVER) {
      first = granule(firstExpiry, graceMicros);
    }
    if (remembered != EntityWrite.NOTHING && remembered != Cell.NEVER) {
      first = Math.min(first, granule(remembered, 0));
    }
    return first == Long.MAX_VALUE
        ? NEVER_DUE
        : (int) Math.max(0, Math.min(first + GRANULE_ORIGIN, LAST_DUE));
  }

  /** Returns the number of the granule that begins behind a time. */
  private static long granule(long time, long plus) {
    return Math.floorDiv(Micros.plus(time, plus), GRANULE) + 1;
  }
}

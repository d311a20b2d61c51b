package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.online.EntityWrite;
import io.tailrace.online.EntityWrite.CellOutcome;
import io.tailrace.online.redis.RedisAddress.Node;
import io.tailrace.online.redis.WriteScript.Piece;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Entities that are written by one script call, and what becomes of them. Not thread-safe. */
final class EntityCall {
  final List<Piece> pieces = new ArrayList<>();
  final List<byte[]> features = new ArrayList<>();
  long bytes;
  // Set by an ASK: this once, another node serves the slot.
  @Nullable Node asked;

  void add(Piece piece, byte[] packed) {
    pieces.add(piece);
    features.add(packed);
    bytes += packed.length;
  }

  /** Returns the arguments of the script. */
  ScriptCall arguments(long nowMicros, Duration grace) {
    ScriptCall script = new ScriptCall();
    script.with(WriteScript.SHA).with(Integer.toString(pieces.size()).getBytes(UTF_8));
    for (Piece piece : pieces) {
      script.with(piece.key());
    }
    for (int i = 0; i < pieces.size(); i++) {
      script.with(WriteScript.head(pieces.get(i), nowMicros, grace));
      script.with(features.get(i));
    }
    return script;
  }

  /** Settles every cell as the script has answered. */
  void settle(Object reply) {
    List<?> contested = reply instanceof List<?> list ? list : List.of();
    int next = 0;
    for (int p = 0; p < pieces.size(); p++) {
      Piece piece = pieces.get(p);
      byte[] outcomes = null;
      if (next < contested.size() && contested.get(next) instanceof Long n && n == p + 1) {
        outcomes = (byte[]) contested.get(next + 1);
        next += 2;
      }
      for (int i = piece.from(); i < piece.to(); i++) {
        piece
            .write()
            .settle(
                i,
                outcomes == null ? CellOutcome.WRITTEN : outcome(outcomes[i - piece.from() + 1]));
      }
      if (piece.fence() != EntityWrite.NO_FENCE && outcomes != null) {
        piece.write().settleFence(outcome(outcomes[0]));
      }
    }
  }

  private static CellOutcome outcome(byte letter) {
    return switch (letter) {
      case 'w' -> CellOutcome.WRITTEN;
      case 's' -> CellOutcome.STALE;
      case 'd' -> CellOutcome.DUPLICATE;
      case 'x' -> CellOutcome.EXPIRED;
      default ->
          throw new IllegalStateException("the script answered '" + (char) letter + "' for a cell");
    };
  }

  /**
   * Rejects an entity that stands alone; sends several again one by one to find the one at fault.
   */
  void reject(String message, List<EntityCall> again) {
    if (pieces.size() > 1) {
      divide(again);
      return;
    }
    Piece piece = pieces.get(0);
    String why =
        message.contains("WRONGTYPE")
            ? "the key '" + new String(piece.key(), UTF_8) + "' holds something that is not a hash"
            : message;
    for (int i = piece.from(); i < piece.to(); i++) {
      piece.write().reject(i, why);
    }
    if (piece.fence() != EntityWrite.NO_FENCE) {
      piece.write().rejectFence(why);
    }
  }

  /** Has each entity sent again in a call of its own. */
  void divide(List<EntityCall> again) {
    for (int i = 0; i < pieces.size(); i++) {
      EntityCall single = new EntityCall();
      single.add(pieces.get(i), features.get(i));
      again.add(single);
    }
  }
}

package io.tailrace.online.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.online.EntityWrite;
import io.tailrace.online.EntityWrite.CellOutcome;
import io.tailrace.online.redis.RedisAddress.Node;
import io.tailrace.online.redis.WriteScript.Piece;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Entities that are written by one script call, and what becomes of them. Not thread-safe. */
final class EntityCall {
  /** What the script says first of an entity that is not ours. */
  private static final byte FOREIGN = '!';

  final List<Piece> pieces = new ArrayList<>();
  final List<byte[]> features = new ArrayList<>();
  long bytes;
  // Set by an ASK: this once, another node serves the slot.
  @Nullable Node asked;
  // Set where the last answer was an error that is on no list.
  @Nullable Refusal refusal;

  /**
   * An error of which it is not known whether it is for what a call holds.
   *
   * @param by who answered
   */
  record Refusal(Node by, String message) {}

  void add(Piece piece, byte[] packed) {
    pieces.add(piece);
    features.add(packed);
    bytes += packed.length;
  }

  /** Returns the arguments of the script. */
  ScriptCall arguments(long nowMicros, long graceMicros) {
    ScriptCall script = new ScriptCall();
    script.with(WriteScript.SHA).with(Integer.toString(pieces.size()).getBytes(UTF_8));
    for (Piece piece : pieces) {
      script.with(piece.key());
    }
    for (int i = 0; i < pieces.size(); i++) {
      script.with(WriteScript.head(pieces.get(i), nowMicros, graceMicros));
      script.with(features.get(i));
    }
    return script.with(WriteScript.clock(nowMicros, graceMicros));
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
      if (outcomes != null && outcomes[0] == FOREIGN) {
        reject(
            piece,
            "the key '"
                + new String(piece.key(), UTF_8)
                + "' holds "
                + new String(outcomes, 1, outcomes.length - 1, UTF_8));
        continue;
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
    } else {
      reject(pieces.get(0), message);
    }
  }

  private static void reject(Piece piece, String why) {
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

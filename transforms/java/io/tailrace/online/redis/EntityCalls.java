package io.tailrace.online.redis;

import io.tailrace.online.EntityWrite;
import io.tailrace.online.redis.WriteScript.Piece;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.util.JedisClusterCRC16;

/** Packs entities into calls of the script. Not thread-safe. */
final class EntityCalls {
  /** Bytes of cells in one call; a single larger entity still goes in one. */
  private static final int MAX_CALL_BYTES = 256 << 10;

  private final RedisAddress address;
  private final RedisNodes nodes;
  private final NameBytes names = new NameBytes();

  EntityCalls(RedisAddress address, RedisNodes nodes) {
    this.address = address;
    this.nodes = nodes;
  }

  /** Returns calls that write all of it; in a cluster, each of one hash slot. */
  List<EntityCall> of(List<EntityWrite> writes) {
    List<EntityCall> calls =
        new ArrayList<>(writes.size() / address.writing().entitiesPerCall() + 1);
    // The call that is being filled: one, or in a cluster one for each hash slot.
    Map<Integer, EntityCall> filling = new HashMap<>();
    for (EntityWrite write : writes) {
      byte[] key = RedisKeys.of(write.key());
      int slot = nodes.mixesSlots() ? 0 : JedisClusterCRC16.getSlot(key);
      int from = 0;
      // Without a cell and a fence there is nothing to write, and no time to compare.
      if (write.count() == 0 && write.fence() == EntityWrite.NO_FENCE) {
        continue;
      }
      do {
        int to = Math.min(write.count(), from + WriteScript.MAX_FEATURES);
        Piece piece =
            new Piece(write, key, from, to, from == 0 ? write.fence() : EntityWrite.NO_FENCE);
        byte[] features = WriteScript.features(piece, names);
        EntityCall call = filling.get(slot);
        if (call == null
            || call.pieces.size() >= address.writing().entitiesPerCall()
            || call.bytes + features.length > MAX_CALL_BYTES) {
          call = new EntityCall();
          filling.put(slot, call);
          calls.add(call);
        }
        call.add(piece, features);
        from = to;
      } while (from < write.count());
    }
    return calls;
  }
}

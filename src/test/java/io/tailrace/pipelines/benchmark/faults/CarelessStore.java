package io.tailrace.pipelines.benchmark.faults;

import io.tailrace.endpoint.AddedKind;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Kinds.Kind;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.Cell;
import io.tailrace.online.EntityKey;
import io.tailrace.online.EntityWrite;
import io.tailrace.online.EntityWrite.CellOutcome;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.online.redis.RedisKeys;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import redis.clients.jedis.Jedis;

/**
 * A Redis whose writer has one guard switched off, so that a checker can be seen to notice it:
 * {@code careless://127.0.0.1:6379?guard=ordering}, {@code guard=commit}, or {@code guard=none} for
 * one that has them all.
 */
final class CarelessStore implements OnlineStore {
  private static final long serialVersionUID = 1;
  private static final String EXAMPLE = "careless://127.0.0.1:6379?guard=ordering";

  private final OnlineStore sound;
  private final int port;
  private final String guard;

  private CarelessStore(OnlineStore sound, int port, String guard) {
    this.sound = sound;
    this.port = port;
    this.guard = guard;
  }

  /** The line that names it. */
  public static final class Added implements AddedKind<OnlineStore> {
    @Override
    public Class<OnlineStore> sort() {
      return OnlineStore.class;
    }

    @Override
    public Kind<OnlineStore> kind() {
      return Kind.of("careless", EXAMPLE, CarelessStore::at);
    }
  }

  private static CarelessStore at(EndpointUri uri) {
    int port = uri.hosts(6379).get(0).port();
    String guard = uri.take("guard").orElse("none");
    uri.finish(EXAMPLE);
    return new CarelessStore(OnlineStores.at("redis://127.0.0.1:" + port), port, guard);
  }

  @Override
  public String uri() {
    return "careless://127.0.0.1:" + port + "?guard=" + guard;
  }

  @Override
  public String identity() throws UnavailableException {
    return sound.identity();
  }

  @Override
  public void check() throws UnavailableException {
    sound.check();
  }

  @Override
  public Connection connect() {
    return switch (guard) {
      case "ordering" -> new Unordered(sound.connect(), new Jedis("127.0.0.1", port));
      case "commit" -> new Hasty(sound.connect());
      default -> sound.connect();
    };
  }

  /** Writes as another does. */
  private abstract static class Careless implements Connection {
    final Connection sound;

    Careless(Connection sound) {
      this.sound = sound;
    }

    @Override
    public List<Map<String, Cell>> read(List<EntityKey> keys) throws UnavailableException {
      return sound.read(keys);
    }

    @Override
    public Instant now() throws UnavailableException {
      return sound.now();
    }

    @Override
    public void close() {
      sound.close();
    }
  }

  /** What comes last stands, be it older. */
  private static final class Unordered extends Careless {
    private final Jedis jedis;

    Unordered(Connection sound, Jedis jedis) {
      super(sound);
      this.jedis = jedis;
    }

    @Override
    public void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException {
      sound.write(writes, nowMicros);
      for (EntityWrite write : writes) {
        for (int i = 0; i < write.count(); i++) {
          jedis.hset(
              RedisKeys.of(write.key()),
              write.name(i).getBytes(StandardCharsets.UTF_8),
              write.cell(i));
        }
      }
    }

    @Override
    public void close() {
      jedis.close();
      super.close();
    }
  }

  /** Says that it has written what it writes the next time: it is committed before that. */
  private static final class Hasty extends Careless {
    private List<EntityWrite> held = List.of();

    Hasty(Connection sound) {
      super(sound);
    }

    @Override
    public void write(List<EntityWrite> writes, long nowMicros) throws UnavailableException {
      if (!held.isEmpty()) {
        sound.write(held, nowMicros);
      }
      held = List.copyOf(writes);
      for (EntityWrite write : writes) {
        for (int i = 0; i < write.count(); i++) {
          write.settle(i, CellOutcome.WRITTEN);
        }
        write.settleFence(CellOutcome.WRITTEN);
      }
    }
  }
}

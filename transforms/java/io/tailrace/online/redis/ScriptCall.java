package io.tailrace.online.redis;

import java.util.Arrays;
import java.util.Iterator;
import java.util.NoSuchElementException;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.args.Rawable;

/**
 * The arguments of one {@code EVALSHA}. The base class makes two objects for each argument, of
 * which a write has a dozen for each entity; this one hands out its arrays as they are. Not
 * thread-safe.
 */
final class ScriptCall extends CommandArguments {
  private byte[][] arguments = new byte[64][];
  private int count;

  ScriptCall() {
    super(Protocol.Command.EVALSHA);
  }

  ScriptCall with(byte[] argument) {
    if (count == arguments.length) {
      arguments = Arrays.copyOf(arguments, 2 * count);
    }
    arguments[count++] = argument;
    return this;
  }

  @Override
  public int size() {
    return count + 1;
  }

  @Override
  public Iterator<Rawable> iterator() {
    return new Iterator<>() {
      private int next = -1;
      private final Rawable current = () -> next == 0 ? getCommand().getRaw() : arguments[next - 1];

      @Override
      public boolean hasNext() {
        return next < count;
      }

      @Override
      public Rawable next() {
        if (next >= count) {
          throw new NoSuchElementException();
        }
        next++;
        return current;
      }
    };
  }
}

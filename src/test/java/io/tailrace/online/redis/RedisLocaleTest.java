package io.tailrace.online.redis;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static com.google.common.truth.TruthJUnit.assume;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.BundleWriter;
import io.tailrace.pipelines.local.servers.LocalRedis;
import io.tailrace.testing.OnlineWriters;
import io.tailrace.testing.Results;
import io.tailrace.v1.QueryResult;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import redis.clients.jedis.Jedis;

/**
 * Cells are compared as bytes also where the server's locale orders strings in another way, as Lua
 * then does. Needs an English UTF-8 locale, installed or made by {@code localedef}.
 */
public class RedisLocaleTest {
  private static final String LOCALE = "en_US.UTF-8";
  private static final long T1 = OnlineWriters.START;

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static LocalRedis redis;
  private static Jedis jedis;

  @BeforeClass
  public static void start() throws Exception {
    Path root = temporary.getRoot().toPath();
    LocalRedis.Builder builder = LocalRedis.in(root.resolve("redis"));
    Optional<String> locale = installedLocale();
    if (locale.isPresent()) {
      builder.environment("LC_ALL", locale.get());
    } else if (makeLocale(root)) {
      builder.environment("LC_ALL", LOCALE).environment("LOCPATH", root.toString());
    } else {
      assume().withMessage("no UTF-8 locale, and no localedef to make one").fail();
    }
    redis = builder.start();
    jedis = redis.connect();
    assume()
        .withMessage("the server's locale orders 'a' before 'B'")
        .that(jedis.eval("return ('a' < 'B') and 1 or 0"))
        .isEqualTo(1L);
  }

  @AfterClass
  public static void stop() {
    if (redis != null) {
      jedis.close();
      redis.close();
    }
  }

  private static Optional<String> installedLocale() throws IOException, InterruptedException {
    return run(new ProcessBuilder("locale", "-a")).stream()
        .filter(name -> name.toLowerCase(Locale.ROOT).matches("[a-z]{2}_.*\\.utf-?8"))
        // English ones first.
        .min((a, b) -> Boolean.compare(b.startsWith("en_"), a.startsWith("en_")));
  }

  private static boolean makeLocale(Path directory) throws IOException, InterruptedException {
    if (!Files.exists(Path.of("/usr/share/i18n/locales/en_US"))) {
      return false;
    }
    Path made = directory.resolve(LOCALE);
    run(new ProcessBuilder("localedef", "-i", "en_US", "-f", "UTF-8", made.toString()));
    return Files.exists(made.resolve("LC_COLLATE"));
  }

  private static List<String> run(ProcessBuilder command) throws IOException, InterruptedException {
    boolean found = false;
    for (String path : System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1)) {
      found |= Files.isExecutable(Path.of(path, command.command().get(0)));
    }
    if (!found) {
      return List.of();
    }
    Process process = command.redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return output.lines().toList();
  }

  @Before
  public void forgetEverything() {
    jedis.flushAll();
  }

  @Test
  public void timesAreInTheOrderOfTheirBytes() throws Exception {
    // The last byte of the two times is that of a letter: 'B' comes before 'a', but not in English.
    long letters = T1 & ~0xFFL;
    assertWins(at(letters | 'a'), at(letters | 'B'));
    assertWins(at(letters | 'b'), at(letters | 'A'));
    assertWins(at(letters | 0xE9), at(letters | 'z'));
    assertWins(at(letters | 'z'), at(letters | '_'));
    assertWins(at(letters | 0x100 | 'B'), at(letters | 'a'));
  }

  @Test
  public void tiesAreInTheOrderOfTheirBytes() throws Exception {
    assertWins(named("a"), named("B"));
    assertWins(named("é"), named("z"));
    assertWins(named("ab"), named("a-c".replace("-", "\u0001")));
    assertWins(named("x".repeat(300) + "a"), named("x".repeat(300) + "B"));
  }

  @Test
  public void aFenceIsInTheOrderOfItsBytes() throws Exception {
    long letters = T1 & ~0xFFL;
    QueryResult fence = Results.of(Results.deletion("ann", letters | 'B'));
    QueryResult later = at(letters | 'a');

    write(fence, later, fence);

    assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(OnlineWriters.published(T1, fence, later)));
  }

  @Test
  public void anyOrderEndsInTheGreatestCells() throws Exception {
    for (int seed = 100; seed < 105; seed++) {
      jedis.flushAll();
      Random random = new Random(seed);
      List<BusMessage> messages = OnlineWriters.messages(seed, 40);

      OnlineWriters.write(
          OnlineWriters.to(redis.uri()), OnlineWriters.shares(messages, 3, random), random);

      assertWithMessage("seed %s", seed).that(Hashes.in(jedis)).isEqualTo(Hashes.after(messages));
    }
  }

  private void assertWins(QueryResult winner, QueryResult loser) throws Exception {
    for (QueryResult[] order : new QueryResult[][] {{winner, loser}, {loser, winner}}) {
      jedis.flushAll();
      write(order);
      assertThat(Hashes.in(jedis)).isEqualTo(Hashes.after(OnlineWriters.published(T1, winner)));
    }
  }

  private static void write(QueryResult... bundles) throws Exception {
    try (BundleWriter writer = BundleWriter.of(OnlineWriters.to(redis.uri()))) {
      for (QueryResult bundle : bundles) {
        writer.write(T1, bundle);
      }
    }
  }

  private static QueryResult at(long time) {
    return Results.of(Results.user("ann", Results.int64("age", time, 1)));
  }

  private static QueryResult named(String name) {
    return Results.of(Results.user("ann", Results.string("name", T1, name)));
  }
}

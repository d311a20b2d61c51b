package io.tailrace.pipelines.tools;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.pipelines.CommandException;
import io.tailrace.pipelines.local.servers.LocalRedis;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.junit.AfterClass;
import org.junit.Before;
import org.junit.BeforeClass;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import picocli.CommandLine;
import redis.clients.jedis.Jedis;

@RunWith(JUnit4.class)
public class GetCommandTest {
  private static final long SECOND = 1_000_000;
  private static final long HOUR = 3_600 * SECOND;
  private static final long FOREVER = Long.MAX_VALUE;
  private static final int VALUE = 0;
  private static final int NULL = 1;
  private static final int TOMBSTONE = 2;
  private static final int INT64 = 1;
  private static final int STRING = 4;
  private static final int BYTES = 5;
  private static final int VECTOR = 8;

  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  private static LocalRedis redis;

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();
  private final long now = System.currentTimeMillis() * 1_000;

  @BeforeClass
  public static void startRedis() throws Exception {
    redis = LocalRedis.start(temporary.newFolder().toPath());
  }

  @AfterClass
  public static void stopRedis() {
    redis.close();
  }

  @Before
  public void empty() {
    try (Jedis jedis = redis.connect()) {
      jedis.flushAll();
    }
  }

  @Test
  public void showsEveryFeatureWithTypeAgeAndTimeToExpiry() {
    store("prod:user:7", "age", now - 2 * HOUR, VALUE, FOREVER, INT64, int64(35));
    store(
        "prod:user:7", "name", now, VALUE, now + 3 * HOUR + SECOND, STRING, "Zoë".getBytes(UTF_8));
    store("prod:user:7", "mail", now, NULL, FOREVER, STRING);
    store("prod:user:7", "seen", now, TOMBSTONE, FOREVER, 0);
    store("prod:user:7", "score", now - 3 * HOUR, VALUE, now - HOUR, INT64, int64(1));
    store("prod:user:7", "hash", now, VALUE, FOREVER, BYTES, new byte[] {1, -1});
    store(
        "prod:user:7",
        "embedding",
        now,
        VALUE,
        FOREVER,
        VECTOR,
        ByteBuffer.allocate(8).putFloat(0.5f).putFloat(-2).array());

    assertThat(get("user", "7")).isEqualTo(0);

    List<String> lines = out.toString().lines().toList();
    assertThat(lines).hasSize(8);
    assertThat(lines.get(0))
        .matches("FEATURE +TYPE +OBSERVED AT \\(UTC\\) +AGE +EXPIRES IN +VALUE *");
    assertThat(line("age")).matches("age +INT64 +\\S+Z +2 h 0 min +never +35 *");
    assertThat(line("name")).matches("name +STRING +\\S+Z +\\d+ m?s +(3 h 0|2 h 59) min +Zoë *");
    assertThat(line("mail")).matches("mail +STRING .* +never +\\(null\\) *");
    assertThat(line("seen")).matches("seen .* \\(deleted\\) *");
    assertThat(line("score")).matches("score +INT64 .* 1 h 0 min ago +\\(expired\\) *");
    assertThat(line("hash")).contains("0x01ff");
    assertThat(line("embedding")).contains("[0.5, -2.0]");
  }

  @Test
  public void showsTheFeaturesAskedForInTheirOrder() {
    store("prod:user:7", "age", now, VALUE, FOREVER, INT64, int64(35));
    store("prod:user:7", "height", now, VALUE, FOREVER, INT64, int64(180));

    assertThat(get("user", "7", "user.height", "weight", "age")).isEqualTo(0);

    List<String> lines = out.toString().lines().toList();
    assertThat(lines).hasSize(4);
    assertThat(lines.get(1)).startsWith("height");
    assertThat(lines.get(2)).matches("weight +\\(absent\\) *");
    assertThat(lines.get(3)).startsWith("age");
  }

  @Test
  public void findsKeysThatAreWrittenWithEscapes() {
    store("test:merchant:m%3A7%25", "age", now, VALUE, FOREVER, INT64, int64(3));
    assertThat(get("merchant", "m:7%", "--environment=test")).isEqualTo(0);
  }

  @Test
  public void anAbsentEntityIsSaidAndAFailure() {
    assertThat(get("user", "8")).isEqualTo(1);
    assertThat(out.toString()).startsWith("user 8 is absent in environment prod");
  }

  @Test
  public void anAbsentEntityOfALocalStackIsSaidWithOneThatItsTrafficWrites() throws Exception {
    ProcessHandle self = ProcessHandle.current();
    Files.writeString(
        temporary.getRoot().toPath().resolve("nothing-runs"),
        "onlineStore="
            + redis.uri()
            + "\nprocess="
            + self.pid()
            + "\nprocessStarted="
            + self.info().startInstant().orElseThrow().toEpochMilli());

    assertThat(run("user", "u42")).isEqualTo(1);

    assertThat(out.toString()).startsWith("user u42 is absent in environment prod");
    assertThat(out.toString()).contains("try 'get user 0'");
    assertThat(get("user", "u42")).isEqualTo(1);
    assertThat(out.toString().split("try 'get user 0'", -1)).hasLength(2);
  }

  @Test
  public void anEntityOfWhichNothingCanBeServedIsAFailure() {
    store("prod:user:7", "seen", now, TOMBSTONE, FOREVER, 0);
    store("prod:user:7", "score", now - 3 * HOUR, VALUE, now - HOUR, INT64, int64(1));
    assertThat(get("user", "7")).isEqualTo(1);
  }

  @Test
  public void valuesCannotSteerTheTerminal() {
    store("prod:user:7", "name", now, VALUE, FOREVER, STRING, "\033[2J@|red x|@\n".getBytes(UTF_8));
    assertThat(get("user", "7")).isEqualTo(0);
    assertThat(out.toString()).contains("\\u001B[2J@ |red x|@\\u000A");
  }

  @Test
  public void saysWhatIsWrongInOneLine() {
    assertThat(run("user", "7", "--onlineStore=kafka://x")).isEqualTo(1);
    assertThat(run("user", "7")).isEqualTo(1);
    List<String> errors = err.toString().lines().toList();
    assertThat(errors).hasSize(2);
    assertThat(errors.get(0)).contains("names no online store");
    assertThat(errors.get(1)).contains("with --onlineStore=URI. Example: redis://localhost:6379/0");
  }

  @Test
  public void durationsAreSaidWithTheirGreatestUnits() {
    assertThat(GetCommand.inWords(Duration.ofMillis(12))).isEqualTo("12 ms");
    assertThat(GetCommand.inWords(Duration.ofSeconds(59))).isEqualTo("59 s");
    assertThat(GetCommand.inWords(Duration.ofSeconds(61))).isEqualTo("1 min 1 s");
    assertThat(GetCommand.inWords(Duration.ofHours(-25))).isEqualTo("1 d 1 h ago");
    assertThat(GetCommand.inWords(Duration.ofDays(800_000))).isEqualTo("2191 years");
  }

  private String line(String feature) {
    return out.toString()
        .lines()
        .filter(line -> line.startsWith(feature))
        .findFirst()
        .orElseThrow();
  }

  private int get(String... arguments) {
    String[] all = Arrays.copyOf(arguments, arguments.length + 1);
    all[arguments.length] = "--onlineStore=" + redis.uri();
    return run(all);
  }

  private int run(String... arguments) {
    return new CommandLine(new GetCommand(temporary.getRoot().toPath().resolve("nothing-runs")))
        .setOut(new PrintWriter(out, true))
        .setErr(new PrintWriter(err, true))
        .setExecutionExceptionHandler(
            (e, command, parsed) -> {
              if (e instanceof CommandException) {
                command.getErr().println(e.getMessage());
                return 1;
              }
              throw e;
            })
        .execute(arguments);
  }

  private static byte[] int64(long value) {
    return ByteBuffer.allocate(8).putLong(value).array();
  }

  private static void store(
      String key,
      String name,
      long observedAt,
      int kind,
      long expiresAt,
      int type,
      byte... payload) {
    byte[] cell =
        ByteBuffer.allocate(18 + payload.length)
            .putLong(observedAt ^ Long.MIN_VALUE)
            .put((byte) kind)
            .putLong(expiresAt ^ Long.MIN_VALUE)
            .put((byte) type)
            .put(payload)
            .array();
    try (Jedis jedis = redis.connect()) {
      // What says that the hash is ours.
      jedis.hset(key.getBytes(UTF_8), new byte[0], new byte[28]);
      jedis.hset(key.getBytes(UTF_8), name.getBytes(UTF_8), cell);
    }
  }
}

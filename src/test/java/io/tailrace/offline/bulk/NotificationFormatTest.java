package io.tailrace.offline.bulk;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.Assert.assertThrows;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MessageTime;
import io.tailrace.bus.Place;
import io.tailrace.offline.bulk.Notification.Contents;
import io.tailrace.offline.bulk.Notification.Folder;
import io.tailrace.parquet.WideMapping;
import io.tailrace.parquet.WideMapping.FeatureColumn;
import io.tailrace.parquet.WideMapping.Kind;
import io.tailrace.parquet.WideMapping.Nulls;
import io.tailrace.parquet.WideMapping.Time;
import io.tailrace.result.ValueType;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.FrozenBytes;
import io.tailrace.testing.Messages;
import io.tailrace.v1.BulkUpload;
import io.tailrace.v1.DeadLetter.Reason;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.Test;

public class NotificationFormatTest {
  private static final String GOOD =
      "{\"operationId\":\"q1\",\"environmentId\":\"prod\",\"deploymentId\":\"d\","
          + "\"files\":[\"s3://bucket/a.parquet\",\"s3://bucket/b.parquet\"],"
          + "\"mapping\":{\"primaryKeyColumn\":\"user_id\",\"observedAtColumn\":\"ts\","
          + "\"features\":[{\"feature\":\"user.age\",\"type\":\"INT64\"},"
          + "{\"feature\":\"user.a.b\",\"namespace\":\"user.a\",\"column\":\"x\",\"type\":\"STRING\","
          + "\"nulls\":\"COMPUTED\",\"resolverFqn\":\"r\"}]}}";

  private static final Contents CONTENTS =
      new Contents(
          "q1",
          "prod",
          "d",
          new WideMapping(
              "user_id",
              new Time("ts", 0),
              List.of(
                  new FeatureColumn(
                      "user", "user.age", "age", new Kind(ValueType.INT64, Nulls.NOT_COMPUTED), ""),
                  new FeatureColumn(
                      "user.a",
                      "user.a.b",
                      "x",
                      new Kind(ValueType.STRING, Nulls.COMPUTED),
                      "r"))));

  private static Notification decode(String json) throws InvalidMessageException {
    return NotificationFormat.decode(Messages.of(json.getBytes(UTF_8), 1));
  }

  @Test
  public void jsonSaysFilesAndWhatTheyHold() throws Exception {
    Notification read = decode(GOOD);

    assertThat(read.files()).containsExactly("s3://bucket/a.parquet", "s3://bucket/b.parquet");
    assertThat(read.folder()).isEqualTo(Optional.empty());
    assertThat(read.contents()).hasValue(CONTENTS);
    assertThat(decode("\n " + GOOD.replace("operationId", "operation_id")).contents())
        .hasValue(CONTENTS);
  }

  @Test
  public void protobufSaysTheSame() throws Exception {
    BulkUpload upload =
        OfflineResults.description(CONTENTS).toBuilder().addFiles("gs://b1b/x.parquet").build();

    Notification read = NotificationFormat.decode(Messages.of(upload.toByteArray(), 1));

    assertThat(read.contents()).hasValue(CONTENTS);
    assertThat(decode(NotificationFormat.json(upload)).contents()).hasValue(CONTENTS);
    assertThat(read.files()).containsExactly("gs://b1b/x.parquet");
  }

  /**
   * The length of its first field is a byte, and so may be the same as one that JSON begins with.
   */
  @Test
  public void protobufIsReadWhateverItBeginsWith() throws Exception {
    BulkUpload upload =
        OfflineResults.description(CONTENTS).toBuilder().addFiles("gs://b1b/x.parquet").build();
    for (String begin : List.of("q", "{", " {", "\n\t{", "{}", "{\"Event\":\"s3:TestEvent\"}")) {
      for (int length = begin.length(); length <= 300; length++) {
        String operation = begin + "q".repeat(length - begin.length());
        byte[] message = upload.toBuilder().setOperationId(operation).build().toByteArray();

        Notification read = NotificationFormat.decode(Messages.of(message, 1));

        assertThat(read.files()).containsExactly("gs://b1b/x.parquet");
        assertThat(read.contents().orElseThrow().operationId()).isEqualTo(operation);
        assertThat(NotificationFormat.contents(message)).isEqualTo(read.contents().orElseThrow());
      }
    }
  }

  @Test
  public void whatIsNeitherIsRefused() {
    for (String json : List.of("{", "\n{\"files\":[}", GOOD.substring(1, 200))) {
      refuses(json, Reason.UNDECODABLE, "", "neither as JSON nor as protobuf");
    }
  }

  @Test
  public void aPrefixHasACountOrAManifest() throws Exception {
    String files = "\"files\":[\"s3://bucket/a.parquet\",\"s3://bucket/b.parquet\"]";

    assertThat(
            decode(GOOD.replace(files, "\"prefix\":{\"uri\":\"s3://bucket/r/\",\"count\":3}"))
                .folder())
        .hasValue(new Folder("s3://bucket/r/", 3, ""));
    assertThat(
            decode(
                    GOOD.replace(
                        files,
                        "\"prefix\":{\"uri\":\"s3://bucket/r/\",\"manifest\":\"s3://bucket/m\"}"))
                .folder())
        .hasValue(new Folder("s3://bucket/r/", 0, "s3://bucket/m"));
  }

  @Test
  public void filesMaySayThemselvesWhatTheyHold() throws Exception {
    assertThat(decode("{\"files\":[\"s3://bucket/a.parquet\"]}").contents())
        .isEqualTo(Optional.empty());
  }

  @Test
  public void whatBreaksARuleIsNamed() {
    String files = "\"files\":[\"s3://bucket/a.parquet\",\"s3://bucket/b.parquet\"]";
    refuses("hello", Reason.UNDECODABLE, "", "no BulkUpload, neither as JSON nor as protobuf");
    refuses("{\"fils\":[]}", Reason.UNDECODABLE, "", "fils");
    refuses("{}", Reason.MISSING_FIELD, "files", "names no files: fill files, or prefix");
    refuses(
        GOOD.replace("b.parquet", "a.parquet"),
        Reason.INVALID_VALUE,
        "files[1]",
        "the file s3://bucket/a.parquet is named twice");
    refuses(
        GOOD.replace("bucket/b", "bucket/" + "b".repeat(1_017)),
        Reason.INVALID_VALUE,
        "files[1]",
        "a name of 1025 bytes is none of a bucket's");
    refuses(
        GOOD.replace("bucket/b", "bucket/x/../b"),
        Reason.INVALID_VALUE,
        "files[1]",
        "has '..' in its path");
    refuses(
        GOOD.replace("s3://bucket/b", "gcs://bucket/b"),
        Reason.INVALID_VALUE,
        "files[1]",
        "begins with gcs://: Google's buckets are gs://bucket/b.parquet");
    refuses(
        GOOD.replace("s3://bucket/b", "bucket/b"),
        Reason.INVALID_VALUE,
        "files[1]",
        "has no prefix: s3://bucket/b.parquet");
    refuses(
        GOOD.replace("b.parquet", "*.parquet"), Reason.INVALID_VALUE, "files[1]", "has a wildcard");
    refuses(
        GOOD.replace("\"user.a.b\",\"namespace\":\"user.a\"", "\"user.age\""),
        Reason.INVALID_VALUE,
        "mapping.features[1]",
        "the feature user.age has two columns, 'age' and 'x'");
    refuses(
        GOOD.replace(",\"namespace\":\"user.a\"", ""),
        Reason.INVALID_VALUE,
        "mapping.features[1].feature",
        "more than one dot");
    refuses(
        GOOD.replace("\"user.age\"", "\"age\""),
        Reason.INVALID_VALUE,
        "mapping.features[0].feature",
        "no feature");
    refuses(
        GOOD.replace(",\"type\":\"INT64\"", ""),
        Reason.UNKNOWN_TYPE,
        "mapping.features[0].type",
        "one of INT64, FLOAT64");
    refuses(
        GOOD.replace("\"observedAtColumn\":\"ts\",", ""),
        Reason.MISSING_FIELD,
        "mapping.observed_at_column",
        "says no time");
    refuses(
        GOOD.replace("\"observedAtColumn\":\"ts\"", "\"observedAt\":\"9000000000000000000\""),
        Reason.INVALID_VALUE,
        "mapping.observed_at",
        "years 1 to 9999");
    refuses(
        GOOD.replace("\"observedAtColumn\":\"ts\"", "\"observedAtColumn\":\"ts\",\"observedAt\":3"),
        Reason.MISSING_FIELD,
        "mapping.observed_at_column",
        "one of both");
    refuses(
        GOOD.replace("\"primaryKeyColumn\":\"user_id\",", ""),
        Reason.MISSING_FIELD,
        "mapping.primary_key_column",
        "is missing");
    refuses(
        GOOD.replace("\"q1\"", "\"q\\ud800\""),
        Reason.INVALID_VALUE,
        "operation_id",
        "half a character");
    for (String place : List.of("s3://bucket/b", "file:///b")) {
      refuses(
          GOOD.replace("s3://bucket/b", place + "\\udc00"),
          Reason.INVALID_VALUE,
          "files[1]",
          "half a character");
    }
    refuses(
        GOOD.replace("\"operationId\":\"q1\",", ""),
        Reason.MISSING_FIELD,
        "operation_id",
        "is missing");
    refuses(
        GOOD.replace(files, files + ",\"prefix\":{\"uri\":\"s3://bucket/r/\",\"count\":3}"),
        Reason.MISSING_FIELD,
        "files",
        "has files and a prefix");
    refuses(
        GOOD.replace(files, "\"prefix\":{\"uri\":\"s3://bucket/r/\"}"),
        Reason.MISSING_FIELD,
        "prefix.count",
        "needs a count or a manifest");
    refuses(
        GOOD.replace(files, "\"prefix\":{\"uri\":\"s3://bucket/r\",\"count\":3}"),
        Reason.INVALID_VALUE,
        "prefix.uri",
        "does not end with a slash");
  }

  private static void refuses(String json, Reason reason, String field, String words) {
    InvalidMessageException e = assertThrows(InvalidMessageException.class, () -> decode(json));

    assertWithMessage(json).that(e.reason()).isEqualTo(reason);
    assertWithMessage(json).that(e.field()).isEqualTo(field);
    assertThat(e).hasMessageThat().contains(words);
  }

  @Test
  public void eventsOfS3NameTheObjectsThatWereMade() throws Exception {
    String record =
        "{\"eventSource\":\"aws:s3\",\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":{"
            + "\"name\":\"results\"},\"object\":{\"key\":\"a+b/%C3%A4.parquet\",\"eTag\":\"1\"}}}";
    String event =
        "{\"Records\":["
            + record
            + ","
            + record.replace("ObjectCreated:Put", "ObjectRemoved:Delete").replace("a+b", "gone")
            + "]}";
    String quoted = new ObjectMapper().writeValueAsString(event);
    for (String each :
        List.of(
            event,
            "{\"MessageId\":\"1\",\"Body\":" + quoted + "}",
            "{\"Type\":\"Notification\",\"Message\":" + quoted + "}",
            "{\"source\":\"aws.s3\",\"detail-type\":\"Object Created\",\"detail\":{\"bucket\":{"
                + "\"name\":\"results\"},\"object\":{\"key\":\"a b/ä.parquet\"}}}")) {
      Notification read = decode(each);
      assertThat(read.files()).containsExactly("s3://results/a b/ä.parquet");
      assertThat(read.origin()).isEqualTo(Notification.Origin.CLOUD);
      assertThat(read.contents()).isEqualTo(Optional.empty());
    }
    assertThat(
            decode("{\"Service\":\"Amazon S3\",\"Event\":\"s3:TestEvent\",\"Bucket\":\"results\"}")
                .files())
        .isEmpty();
  }

  @Test
  public void aKeyThatIsNotEncodedIsTakenAsItIs() throws Exception {
    for (String key : List.of("100%.parquet", "a%zz+b.parquet", "%", "%1", "a+%-1.parquet")) {
      assertThat(decode(eventOf(key)).files()).containsExactly("s3://results/" + key);
    }
  }

  private static String eventOf(String key) throws Exception {
    return "{\"Records\":[{\"eventName\":\"ObjectCreated:Put\",\"s3\":{\"bucket\":{"
        + "\"name\":\"results\"},\"object\":{\"key\":"
        + new ObjectMapper().writeValueAsString(key)
        + "}}}]}";
  }

  @Test
  public void anyMessageIsDecodedOrRefused() throws Exception {
    List<String> parts =
        List.of(
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\"",
            "%",
            "\\ud800",
            "\n",
            "1e999999999",
            "null",
            "\"Records\"",
            "\"s3\"",
            "\"object\"",
            "\"key\"",
            "\"Body\"",
            "\"files\"",
            "\"prefix\"",
            "\"mapping\"",
            "\"features\"",
            "\"operationId\"",
            "\"eventName\"",
            "ObjectCreated:Put",
            "file:///",
            "s3://results/");
    Random random = new Random(5);
    for (int i = 0; i < 5_000; i++) {
      StringBuilder message = new StringBuilder(random.nextBoolean() ? "{" : "");
      for (int part = random.nextInt(12); part >= 0; part--) {
        message.append(parts.get(random.nextInt(parts.size())));
      }
      List<String> messages = new ArrayList<>(List.of(message.toString()));
      int at = random.nextInt(GOOD.length());
      messages.add(eventOf(message.toString()));
      messages.add(GOOD.substring(0, at) + message + GOOD.substring(at + random.nextInt(2)));
      for (String each : messages) {
        try {
          assertThat(decode(each).files()).doesNotContain("");
        } catch (InvalidMessageException e) {
          assertWithMessage(each).that(e).hasMessageThat().isNotEmpty();
        }
      }
    }
  }

  @Test
  public void eventsOfCloudStorageNameTheObjectsThatWereMade() throws Exception {
    byte[] object =
        "{\"kind\":\"storage#object\",\"name\":\"r/a.parquet\",\"bucket\":\"b\"}".getBytes(UTF_8);
    for (String type : List.of("OBJECT_FINALIZE", "OBJECT_DELETE", "OBJECT_METADATA_UPDATE")) {
      Notification read =
          NotificationFormat.decode(
              BusMessage.of(
                  object,
                  null,
                  Place.identified("events", "1"),
                  MessageTime.ofBus(1),
                  Headers.of(
                      Header.of("eventType", type),
                      Header.of("bucketId", "b"),
                      Header.of("objectId", "r/a.parquet"))));
      assertThat(read.files())
          .containsExactlyElementsIn(
              type.equals("OBJECT_FINALIZE") ? List.of("gs://b/r/a.parquet") : List.of());
      assertThat(read.origin()).isEqualTo(Notification.Origin.CLOUD);
    }
  }

  @Test
  public void itsBytesAreThoseOfSavepoints() throws Exception {
    Notification full = NotificationFormat.decode(FrozenBytes.fullMessage(GOOD.getBytes(UTF_8)));
    Notification empty =
        NotificationFormat.decode(
            FrozenBytes.bareMessage("{\"files\":[\"file:///a.parquet\"]}".getBytes(UTF_8)));

    assertThat(FrozenBytes.of("NotificationCoder", "full").writtenFor(NotificationCoder.of(), full))
        .isEqualTo(full);
    assertThat(
            FrozenBytes.of("NotificationCoder", "empty").writtenFor(NotificationCoder.of(), empty))
        .isEqualTo(empty);
  }

  @Test
  public void aBucketIsNamedWithItsPrefix() {
    assertThat(new ResultBucket("s3://bucket/").uri()).isEqualTo("s3://bucket");
    assertThat(ResultBucket.KINDS.at("gs://bucket/a").uri()).isEqualTo("gs://bucket/a");
    assertThat(
            assertThrows(
                IllegalArgumentException.class, () -> ResultBucket.KINDS.at("gcs://bucket/x")))
        .hasMessageThat()
        .contains("Google's buckets are gs://bucket/x");
    assertThat(
            assertThrows(IllegalArgumentException.class, () -> ResultBucket.KINDS.at("bucket/x")))
        .hasMessageThat()
        .isEqualTo(
            "'bucket/x' names no bucket. Examples: s3://bucket/results, gs://bucket/results,"
                + " file:///data/results");
    for (String[] wrong :
        new String[][] {
          {"bucket", "has no prefix: s3://bucket or gs://bucket"},
          {"/data", "has no prefix: file:///data"},
          {"gcs://bucket/x", "Google's buckets are gs://bucket/x"},
          {"s3a://bucket", "Amazon's buckets are s3://bucket"},
          {"s3://", "is no address of a bucket"},
          {"https://bucket", "is no address of a bucket"},
          {"s3://bucket/../x", "has '..' in its path"}
        }) {
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> new ResultBucket(wrong[0]));
      assertThat(e).hasMessageThat().contains(wrong[1]);
    }
    ResultBucket bucket = new ResultBucket("s3://bucket/results");
    assertThat(bucket.whyOutside("s3://bucket/results/a").isPresent()).isFalse();
    assertThat(bucket.whyOutside("s3://bucket/results2/a").orElseThrow())
        .contains("is not in s3://bucket/results/");
  }
}

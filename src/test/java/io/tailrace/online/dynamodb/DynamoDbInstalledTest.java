package io.tailrace.online.dynamodb;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assume.assumeTrue;

import io.tailrace.bus.BusMessage;
import io.tailrace.online.EntityKey;
import io.tailrace.online.OnlineReader;
import io.tailrace.online.OnlineStores;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import io.tailrace.testing.ExpectedCells;
import io.tailrace.testing.InstalledServer;
import io.tailrace.testing.OnlineWriters;
import java.net.URI;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.After;
import org.junit.Before;
import org.junit.ClassRule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;
import org.junit.runner.RunWith;
import org.junit.runners.Parameterized;
import org.junit.runners.Parameterized.Parameter;
import org.junit.runners.Parameterized.Parameters;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.DynamoDbClient;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.KeysAndAttributes;
import software.amazon.awssdk.services.dynamodb.model.ReturnValuesOnConditionCheckFailure;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;

/** The simulated DynamoDB is held to those of others, where they are installed. */
@RunWith(Parameterized.class)
public class DynamoDbInstalledTest {
  @ClassRule public static final TemporaryFolder temporary = new TemporaryFolder();

  @Parameter public InstalledServer.Kind kind = InstalledServer.Kind.MOTO;

  private InstalledServer server;

  @Parameters(name = "{0}")
  public static InstalledServer.Kind[] kinds() {
    return InstalledServer.Kind.values();
  }

  @Before
  public void start() throws Exception {
    assumeTrue(kind + " is not installed: the fake is not held to it", kind.isThere());
    server = InstalledServer.start(kind, temporary.newFile().toPath());
  }

  @After
  public void stop() {
    if (server != null) {
      server.close();
    }
  }

  @Test
  public void writersOneAfterTheOtherEndInTheGreatestCells() throws Exception {
    assumeTrue(
        kind + " knows no TTL, and gives back no item whose condition failed",
        kind != InstalledServer.Kind.DYNALITE);
    String uri = FakeTables.uri(server.endpoint(), "features") + "&create=true";
    Random random = new Random(300);
    List<BusMessage> messages = OnlineWriters.messages(300, 12);
    OnlineStores.at(uri).check();

    // Not at once, as they are with the fake: moto shows others an item that it is still making.
    for (List<BusMessage> share : OnlineWriters.shares(messages, 3, random)) {
      OnlineWriters.write(OnlineWriters.to(uri), List.of(share), random);
    }

    Map<EntityKey, Map<String, String>> expected = new HashMap<>();
    ExpectedCells.after(messages).forEach((key, entity) -> expected.put(key, entity.cells()));
    Map<EntityKey, Map<String, String>> stored = new HashMap<>();
    try (OnlineReader reader = OnlineReader.open(uri)) {
      for (EntityKey key : expected.keySet()) {
        Map<String, String> cells = new TreeMap<>();
        reader
            .readCells(List.of(key))
            .get(0)
            .forEach((name, cell) -> cells.put(name, HexFormat.of().formatHex(cell.toBytes())));
        stored.put(key, cells);
      }
    }
    assertThat(stored).isEqualTo(expected);
  }

  private interface Asked {
    Object of(DynamoDbClient client);
  }

  /** Conditions over what is absent, of another type, less and greater; and what is refused. */
  @Test
  public void theFakeAnswersAsTheyDo() throws Exception {
    try (FakeDynamoDb fake = FakeDynamoDb.start()) {
      assertThat(answers(fake.endpoint())).isEqualTo(answers(server.endpoint()));
    }
  }

  private List<String> answers(String endpoint) {
    List<String> answers = new ArrayList<>();
    String table = "questions";
    try (DynamoDbClient client =
        DynamoDbClient.builder()
            .endpointOverride(URI.create(endpoint))
            .httpClientBuilder(Apache5HttpClient.builder())
            .region(Region.EU_WEST_1)
            .credentialsProvider(
                StaticCredentialsProvider.create(AwsBasicCredentials.create("key", "secret")))
            .build()) {
      List<Asked> questions = new ArrayList<>();
      questions.add(it -> it.getItem(get -> get.tableName(table).key(key("a"))).hasItem());
      questions.add(it -> createTable(it, table));
      questions.add(it -> createTable(it, table));
      questions.add(it -> it.getItem(get -> get.tableName(table).key(key("a"))).hasItem());
      questions.add(update(table, "a", "SET #x = :x", "attribute_not_exists(#x)", 5));
      questions.add(update(table, "a", "SET #x = :x", "attribute_not_exists(#x)", 6));
      questions.add(update(table, "a", "SET #x = :x", "#x < :x", 4));
      questions.add(update(table, "a", "SET #x = :x", "#x < :x", 0x80));
      questions.add(update(table, "a", "SET #x = :x", "#x <= :x", 0x80));
      questions.add(update(table, "a", "SET #x = :x", "#y < :x", 7));
      questions.add(update(table, "a", "SET #x = :x", "NOT #y >= :x", 8));
      questions.add(update(table, "a", "SET #x = :x", "#n < :x", 9));
      questions.add(
          update(
              table, "a", "SET #x = :x", "(attribute_not_exists(#y) OR #y < :x) AND #x < :x", 9));
      questions.add(
          update(table, "a", "SET #y = if_not_exists(#y, :x)", "attribute_exists(#x)", 1));
      questions.add(
          update(table, "a", "SET #y = if_not_exists(#y, :x)", "attribute_exists(#x)", 2));
      questions.add(update(table, "a", "SET #x = :x", "#y BETWEEN :x AND :x", 1));
      questions.add(update(table, "a", "SET #x = :x", "#y BETWEEN :x AND :x", 2));
      questions.add(update(table, "a", "SET #x = :x REMOVE #y", "attribute_exists(#y)", 3));
      questions.add(update(table, "a", "SET #x = :x REMOVE #y", "attribute_exists(#y)", 3));
      questions.add(
          it ->
              it.batchGetItem(
                      get ->
                          get.requestItems(
                              Map.of(
                                  table,
                                  KeysAndAttributes.builder()
                                      .keys(List.of(key("a"), key("b")))
                                      .build())))
                  .responses()
                  .get(table)
                  .size());
      questions.add(it -> it.deleteItem(d -> d.tableName(table).key(key("a"))).hasAttributes());
      questions.add(it -> it.getItem(get -> get.tableName(table).key(key("a"))).hasItem());
      for (Asked question : questions) {
        String answer;
        try {
          answer = String.valueOf(question.of(client));
        } catch (ConditionalCheckFailedException e) {
          boolean hasItem = kind != InstalledServer.Kind.DYNALITE;
          answer = "refused" + (hasItem ? ": " + new TreeMap<>(e.item()) : "");
        } catch (AwsServiceException e) {
          answer = e.statusCode() + " " + e.awsErrorDetails().errorCode();
        }
        answers.add(answers.size() + " " + answer);
      }
    }
    return answers;
  }

  private static Map<String, AttributeValue> key(String id) {
    Map<String, AttributeValue> key = new HashMap<>();
    key.put("__id__", AttributeValue.fromS(id));
    key.put("__ns__", AttributeValue.fromS("user"));
    return key;
  }

  private static String createTable(DynamoDbClient client, String table) {
    return client
        .createTable(
            it ->
                it.tableName(table)
                    .billingMode(BillingMode.PAY_PER_REQUEST)
                    .attributeDefinitions(attribute("__id__"), attribute("__ns__"))
                    .keySchema(keyPart("__id__", KeyType.HASH), keyPart("__ns__", KeyType.RANGE)))
        .tableDescription()
        .tableName();
  }

  private static AttributeDefinition attribute(String name) {
    return AttributeDefinition.builder()
        .attributeName(name)
        .attributeType(ScalarAttributeType.S)
        .build();
  }

  private static KeySchemaElement keyPart(String name, KeyType type) {
    return KeySchemaElement.builder().attributeName(name).keyType(type).build();
  }

  private static Asked update(
      String table, String id, String update, String condition, int firstByte) {
    Map<String, String> names = new HashMap<>();
    names.put("#x", "x");
    names.put("#y", "y");
    names.put("#n", "__exp__");
    names.keySet().removeIf(name -> !(update + condition).contains(name));
    return client ->
        client
            .updateItem(
                it ->
                    it.tableName(table)
                        .key(key(id))
                        .updateExpression(update)
                        .conditionExpression(condition)
                        .expressionAttributeNames(names)
                        .expressionAttributeValues(
                            Map.of(
                                ":x",
                                AttributeValue.fromB(
                                    SdkBytes.fromByteArray(new byte[] {(byte) firstByte}))))
                        .returnValuesOnConditionCheckFailure(
                            ReturnValuesOnConditionCheckFailure.ALL_OLD))
            .sdkHttpResponse()
            .statusCode();
  }
}

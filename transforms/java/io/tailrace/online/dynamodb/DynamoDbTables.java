package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.time.Instant;
import java.time.format.DateTimeFormatter;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Stream;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.http.SdkHttpResponse;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.BillingMode;
import software.amazon.awssdk.services.dynamodb.model.ConditionalCheckFailedException;
import software.amazon.awssdk.services.dynamodb.model.CreateTableRequest;
import software.amazon.awssdk.services.dynamodb.model.GetItemResponse;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeyType;
import software.amazon.awssdk.services.dynamodb.model.ScalarAttributeType;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;
import software.amazon.awssdk.services.dynamodb.model.TableStatus;
import software.amazon.awssdk.services.dynamodb.model.TimeToLiveDescription;
import software.amazon.awssdk.services.dynamodb.model.TimeToLiveStatus;

/**
 * The tables themselves: what is known of one, its creation, and the item in it that is no entity's
 * and holds its id. Not thread-safe.
 */
final class DynamoDbTables {
  /** The keys of a table's own item: namespaces that begin so are nobody's. */
  private static final String OWN_ID = "tailrace";

  private static final String OWN_NAMESPACE = "tailrace.";

  private final DynamoDbAddress address;
  private final DynamoDbServer server;
  private final Set<String> ready = new HashSet<>();

  /** Those that could be used at any time, and so are known to be right. */
  private final Set<String> used = new HashSet<>();

  DynamoDbTables(DynamoDbAddress address, DynamoDbServer server) {
    this.address = address;
    this.server = server;
  }

  /** Describes a table; empty: it is missing. */
  Optional<TableDescription> describe(String table) throws UnavailableException {
    try {
      return Optional.of(
          server.send(client -> client.describeTable(it -> it.tableName(table))).table());
    } catch (AwsServiceException e) {
      if (isMissing(e)) {
        return Optional.empty();
      }
      throw unusable(e, table);
    }
  }

  static boolean isMissing(AwsServiceException e) {
    return DynamoDbServer.code(e).equals("ResourceNotFoundException");
  }

  private UnavailableException unusable(AwsServiceException e, String table) {
    return new UnavailableException(address.text() + ": " + DynamoDbCheck.correction(e, table), e);
  }

  /**
   * Looks at tables before they are written to for the first time, and creates those that are
   * missing, where that is asked for.
   *
   * @return which can't be used, and why, of environments that nobody has named: one of those must
   *     not stop the others
   * @throws UnavailableException if one can't be used that was known beforehand, or was used
   *     before, or if none could be used yet: then it is not one environment that is odd
   */
  Map<String, String> use(Collection<String> tables) throws UnavailableException {
    Map<String, String> unusable = new HashMap<>();
    for (String table : tables) {
      if (ready.contains(table)) {
        continue;
      }
      boolean isNamed = address.tables().contains(table) || used.contains(table);
      Optional<String> why = isNamed ? whyNot(table) : whyNotOrDenied(table);
      if (why.isEmpty()) {
        ready.add(table);
        used.add(table);
      } else if (isNamed) {
        throw new UnavailableException(address.text() + ": " + why.get());
      } else {
        unusable.put(table, why.get());
      }
    }
    if (!unusable.isEmpty() && used.isEmpty()) {
      throw new UnavailableException(
          address.text()
              + ": no table could be used yet. Name the environments with --environments, so that"
              + " results of others wait for nobody: "
              + unusable.values().iterator().next());
    }
    return unusable;
  }

  /** Of a table that somebody else's result names, it is its own affair that it may not be used. */
  private Optional<String> whyNotOrDenied(String table) throws UnavailableException {
    try {
      return whyNot(table);
    } catch (UnavailableException e) {
      if (DynamoDbServer.denied(e).isPresent()) {
        return Optional.of(String.valueOf(e.getMessage()));
      }
      throw e;
    }
  }

  /** Returns why a table can't be used, with the correction; empty: it can. */
  private Optional<String> whyNot(String table) throws UnavailableException {
    Optional<TableDescription> found = describe(table);
    if (address.writing().create()) {
      found = Optional.of(create(table, found));
    }
    if (found.isEmpty()) {
      return Optional.of(DynamoDbCheck.missing(table));
    }
    Optional<String> otherKeys = DynamoDbCheck.otherKeys(table, found.get());
    // It may have been made by somebody who ended before that, or by hand.
    if (otherKeys.isEmpty()
        && address.writing().create()
        && timeToLive(table).timeToLiveStatus() == TimeToLiveStatus.DISABLED) {
      expire(table);
    }
    return otherKeys;
  }

  /** Returns a table that is there, and can be used, when this returns. */
  private TableDescription create(String table, Optional<TableDescription> before)
      throws UnavailableException {
    Optional<TableDescription> found = before;
    if (found.isEmpty()) {
      CreateTableRequest request =
          CreateTableRequest.builder()
              .tableName(table)
              .keySchema(key(Attributes.ID, KeyType.HASH), key(Attributes.NAMESPACE, KeyType.RANGE))
              .attributeDefinitions(text(Attributes.ID), text(Attributes.NAMESPACE))
              .billingMode(BillingMode.PAY_PER_REQUEST)
              .build();
      try {
        var unused = server.send(client -> client.createTable(request));
      } catch (AwsServiceException e) {
        // Another writer may have been first.
        if (!DynamoDbServer.code(e).equals("ResourceInUseException")) {
          throw unusable(e, table);
        }
      }
    }
    Retry retry = Retry.of(address.text(), address.timeouts().retryFor());
    while (found.isEmpty() || !isUsable(found.get())) {
      retry.pause("the table " + table + " is being created");
      found = describe(table);
    }
    return found.get();
  }

  private static boolean isUsable(TableDescription table) {
    return table.tableStatus() == TableStatus.ACTIVE || table.tableStatus() == TableStatus.UPDATING;
  }

  private static KeySchemaElement key(String name, KeyType type) {
    return KeySchemaElement.builder().attributeName(name).keyType(type).build();
  }

  private static AttributeDefinition text(String name) {
    return AttributeDefinition.builder()
        .attributeName(name)
        .attributeType(ScalarAttributeType.S)
        .build();
  }

  /** Returns how a table forgets items. */
  TimeToLiveDescription timeToLive(String table) throws UnavailableException {
    try {
      return server
          .send(client -> client.describeTimeToLive(it -> it.tableName(table)))
          .timeToLiveDescription();
    } catch (AwsServiceException e) {
      throw unusable(e, table);
    }
  }

  /** Has the table forget items by their TTL attribute. */
  private void expire(String table) throws UnavailableException {
    try {
      var unused =
          server.send(
              client ->
                  client.updateTimeToLive(
                      it ->
                          it.tableName(table)
                              .timeToLiveSpecification(
                                  spec -> spec.attributeName(Attributes.EXPIRY).enabled(true))));
    } catch (AwsServiceException e) {
      // Another writer was first.
      if (!DynamoDbServer.isForContent(e)) {
        throw unusable(e, table);
      }
    }
  }

  /** What was there may be gone. */
  void forget() {
    ready.clear();
  }

  /**
   * Returns the id that a table holds itself, made by whoever asks first. Tables of several
   * environments are known by whose account they are in, and where: another environment makes no
   * other store of them.
   *
   * @throws UnavailableException if it can't be read or made
   */
  String identity() throws UnavailableException {
    if (address.tables().isEmpty()) {
      return address.place().region().orElse("") + "/" + address.place().table();
    }
    String table = address.tables().get(0);
    Map<String, String> unused = use(Set.of(table));
    return address.separatesEnvironments() ? account(table) : own(table);
  }

  private String account(String table) throws UnavailableException {
    String arn = describe(table).map(TableDescription::tableArn).orElse("");
    int end = arn.lastIndexOf(":table/");
    return (end < 0 ? address.place().region().orElse("") : arn.substring(0, end))
        + "/"
        + address.place().table();
  }

  private String own(String table) throws UnavailableException {
    Map<String, AttributeValue> own = ownKey();
    own.put(Attributes.STORE, AttributeValue.fromS(UUID.randomUUID().toString()));
    try {
      var unused =
          server.send(
              client ->
                  client.putItem(
                      put ->
                          put.tableName(table)
                              .item(own)
                              .conditionExpression("attribute_not_exists(#i)")
                              .expressionAttributeNames(Map.of("#i", Attributes.ID))));
    } catch (ConditionalCheckFailedException e) {
      // It has one.
    } catch (AwsServiceException e) {
      throw unusable(e, table);
    }
    AttributeValue id = ownItem(table).item().get(Attributes.STORE);
    return id == null ? "" : String.valueOf(id.s());
  }

  private static Map<String, AttributeValue> ownKey() {
    Map<String, AttributeValue> key = new HashMap<>();
    key.put(Attributes.ID, AttributeValue.fromS(OWN_ID));
    key.put(Attributes.NAMESPACE, AttributeValue.fromS(OWN_NAMESPACE));
    return key;
  }

  private GetItemResponse ownItem(String table) throws UnavailableException {
    try {
      return server.send(
          client -> client.getItem(get -> get.tableName(table).key(ownKey()).consistentRead(true)));
    } catch (AwsServiceException e) {
      throw unusable(e, table);
    }
  }

  /** Returns a table that the asker has a right to, as far as one is known. */
  String any() {
    return Stream.concat(address.tables().stream(), ready.stream())
        .findFirst()
        .orElseGet(() -> address.table("any"));
  }

  /** Returns what time it is by the service's clock, to the second: each answer has it. */
  Instant now() throws UnavailableException {
    String table = any();
    SdkHttpResponse answer;
    try {
      answer =
          server
              .send(client -> client.getItem(get -> get.tableName(table).key(ownKey())))
              .sdkHttpResponse();
    } catch (AwsServiceException e) {
      answer = e.awsErrorDetails().sdkHttpResponse();
    } catch (UnavailableException e) {
      // The right to a table that is not there may be missing, and the answer has the time.
      answer = DynamoDbServer.denied(e).orElseThrow(() -> e).awsErrorDetails().sdkHttpResponse();
    }
    return answer
        .firstMatchingHeader("Date")
        .map(it -> Instant.from(DateTimeFormatter.RFC_1123_DATE_TIME.parse(it)))
        .orElseThrow(
            () -> new UnavailableException(address.text() + " doesn't say what time it is"));
  }
}

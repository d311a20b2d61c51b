package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.dynamodb.DynamoDbServer.PassingException;
import io.tailrace.online.dynamodb.DynamoDbServer.Request;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.services.dynamodb.model.AttributeDefinition;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.KeySchemaElement;
import software.amazon.awssdk.services.dynamodb.model.KeysAndAttributes;
import software.amazon.awssdk.services.dynamodb.model.ReplicaDescription;
import software.amazon.awssdk.services.dynamodb.model.TableDescription;
import software.amazon.awssdk.services.dynamodb.model.TimeToLiveDescription;
import software.amazon.awssdk.services.dynamodb.model.TimeToLiveStatus;

/**
 * Looks at a table before a pipeline starts, so that what is wrong is said once, at once and in
 * words: it does what a writer does.
 */
final class DynamoDbCheck {
  /** Actions of a policy. */
  static final String NEEDED_PERMISSIONS =
      "dynamodb:GetItem, dynamodb:BatchGetItem, dynamodb:PutItem, dynamodb:UpdateItem,"
          + " dynamodb:DeleteItem, dynamodb:DescribeTable and dynamodb:DescribeTimeToLive of the"
          + " table (with create=true dynamodb:CreateTable and dynamodb:UpdateTimeToLive besides)";

  private static final String TRIAL_ID = "tailrace";
  private static final String TRIAL_NAMESPACE = "tailrace.check";

  private final DynamoDbAddress address;
  private final DynamoDbServer server;
  private final DynamoDbTables tables;
  private final List<String> findings = new ArrayList<>();

  private DynamoDbCheck(DynamoDbAddress address, DynamoDbServer server) {
    this.address = address;
    this.server = server;
    this.tables = new DynamoDbTables(address, server);
  }

  /**
   * Looks at it.
   *
   * @return what is better mended, in sentences
   * @throws UnavailableException with what must be mended first
   */
  static List<String> check(DynamoDbAddress address, DynamoDbServer server)
      throws UnavailableException {
    DynamoDbCheck check = new DynamoDbCheck(address, server);
    check.reach();
    for (String table : address.tables()) {
      check.table(table);
    }
    return List.copyOf(check.findings);
  }

  /** Says what an answer means, and the correction. */
  static String correction(AwsServiceException e, String table) {
    String problem = DynamoDbServer.problem(e);
    return DynamoDbTables.isMissing(e)
        ? missing(table)
        : "the table " + table + " can't be used: " + problem;
  }

  /** Says that a table is missing, and the correction. */
  static String missing(String table) {
    return "the table "
        + table
        + " is missing: add create=true to the URI, or create it with "
        + command(table);
  }

  private static String command(String table) {
    return "aws dynamodb create-table --table-name "
        + table
        + " --billing-mode PAY_PER_REQUEST --attribute-definitions"
        + " AttributeName=__id__,AttributeType=S AttributeName=__ns__,AttributeType=S --key-schema"
        + " AttributeName=__id__,KeyType=HASH AttributeName=__ns__,KeyType=RANGE";
  }

  private void reach() throws UnavailableException {
    try {
      var unused = server.once(client -> client.describeTable(it -> it.tableName(tables.any())));
    } catch (AwsServiceException e) {
      // It is there, and answers.
    } catch (UnavailableException e) {
      // So it does of a table that nobody has named, to which there may be no right.
      if (!address.tables().isEmpty() || DynamoDbServer.denied(e).isEmpty()) {
        throw e;
      }
    } catch (PassingException e) {
      throw new UnavailableException(
          address.text()
              + " can't be reached: "
              + e.getMessage()
              + "; check the region, the endpoint and the way there",
          e);
    }
  }

  private void table(String name) throws UnavailableException {
    Map<String, String> unused = tables.use(Set.of(name));
    TableDescription table =
        tables
            .describe(name)
            .orElseThrow(() -> new UnavailableException(address.text() + ": " + missing(name)));
    if (table.hasReplicas() && !table.replicas().isEmpty()) {
      findings.add(
          "the table "
              + name
              + " is replicated to "
              + table.replicas().stream()
                  .map(ReplicaDescription::regionName)
                  .collect(Collectors.joining(", "))
              + ": only one region may write, as the last writer's value stands between regions,"
              + " not the newest observation");
    }
    checkTimeToLive(name);
    checkPermissions(name);
  }

  /** Says which keys a table has that is not made for entities; empty: it is. */
  static Optional<String> otherKeys(String name, TableDescription table) {
    Map<String, String> types =
        table.attributeDefinitions().stream()
            .collect(
                Collectors.toMap(
                    AttributeDefinition::attributeName,
                    AttributeDefinition::attributeTypeAsString));
    List<String> keys =
        table.keySchema().stream()
            .map(KeySchemaElement::attributeName)
            .map(key -> key + " " + types.get(key))
            .toList();
    List<String> wanted = List.of(Attributes.ID + " S", Attributes.NAMESPACE + " S");
    return keys.equals(wanted)
        ? Optional.empty()
        : Optional.of(
            "the keys of the table "
                + name
                + " are "
                + String.join(", ", keys)
                + ", not "
                + String.join(", ", wanted)
                + ": name another table");
  }

  private void checkTimeToLive(String name) throws UnavailableException {
    TimeToLiveDescription found = tables.timeToLive(name);
    boolean isOn =
        found.timeToLiveStatus() == TimeToLiveStatus.ENABLED
            || found.timeToLiveStatus() == TimeToLiveStatus.ENABLING;
    if (!isOn || !Attributes.EXPIRY.equals(found.attributeName())) {
      findings.add(
          "the table "
              + name
              + " forgets nothing: what has expired stays, and is paid for. Run aws dynamodb"
              + " update-time-to-live --table-name "
              + name
              + " --time-to-live-specification Enabled=true,AttributeName="
              + Attributes.EXPIRY);
    }
  }

  /** Writes, reads and deletes an item of no entity. */
  private void checkPermissions(String name) throws UnavailableException {
    Map<String, AttributeValue> key = new HashMap<>();
    key.put(Attributes.ID, AttributeValue.fromS(TRIAL_ID));
    key.put(Attributes.NAMESPACE, AttributeValue.fromS(TRIAL_NAMESPACE));
    try {
      List<Request<?>> trials =
          List.of(
              client -> client.putItem(it -> it.tableName(name).item(key)),
              client ->
                  client.updateItem(
                      it ->
                          it.tableName(name)
                              .key(key)
                              .updateExpression("SET #x = :x")
                              .expressionAttributeNames(Map.of("#x", Attributes.EXPIRY))
                              .expressionAttributeValues(Map.of(":x", EntityItem.number(1)))),
              client ->
                  client.batchGetItem(
                      it ->
                          it.requestItems(
                              Map.of(
                                  name, KeysAndAttributes.builder().keys(List.of(key)).build()))),
              client -> client.getItem(it -> it.tableName(name).key(key)),
              client -> client.deleteItem(it -> it.tableName(name).key(key)));
      for (Request<?> trial : trials) {
        Object unused = server.send(trial);
      }
    } catch (AwsServiceException e) {
      throw new UnavailableException(address.text() + ": " + correction(e, name), e);
    }
  }
}

package io.tailrace.online.dynamodb;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What is said of a table before a writer starts, on a simulated DynamoDB. */
@RunWith(JUnit4.class)
public class DynamoDbCheckTest {
  private FakeDynamoDb server;

  @Before
  public void start() {
    server = FakeDynamoDb.start();
  }

  @After
  public void stop() {
    server.close();
  }

  private String uri() {
    return FakeTables.uri(server.endpoint(), "features");
  }

  private static String refused(String uri) {
    return assertThrows(UnavailableException.class, OnlineStores.at(uri)::check).getMessage();
  }

  private List<String> findings(String uri) throws Exception {
    DynamoDbAddress address = DynamoDbAddress.of(EndpointUri.parse(uri));
    try (DynamoDbServer open = new DynamoDbServer(address, new Charges())) {
      return DynamoDbCheck.check(address, open);
    }
  }

  @Test
  public void aMissingTableIsCreatedOnRequestAndElseNamedWithTheCommand() throws Exception {
    assertThat(refused(uri()))
        .contains("the table features is missing: add create=true to the URI");
    assertThat(refused(uri()))
        .contains("aws dynamodb create-table --table-name features --billing-mode PAY_PER_REQUEST");

    assertThat(findings(uri() + "&create=true")).isEmpty();
    assertThat(findings(uri())).isEmpty();
    assertThat(server.tables()).containsExactly("features");
    assertThat(server.items("features")).isEmpty();
  }

  @Test
  public void aTableThatForgetsNothingOrIsReplicatedIsNamed() throws Exception {
    server.createTable("features", "__id__", "__ns__");
    server.replicate("features", "us-east-1");

    List<String> findings = findings(uri());

    assertThat(findings).hasSize(2);
    assertThat(findings.get(0)).contains("replicated to us-east-1: only one region may write");
    assertThat(findings.get(1))
        .contains("--time-to-live-specification Enabled=true,AttributeName=__exp__");
  }

  @Test
  public void aTableWithOtherKeysIsSomebodyElses() throws Exception {
    server.createTable("features", "pk", "sk");

    assertThat(refused(uri()))
        .contains("the keys of the table features are pk S, sk S, not __id__ S, __ns__ S");
  }

  @Test
  public void whoMayNotIsToldWhatToGrant() throws Exception {
    server.createTable("features", "__id__", "__ns__");
    server.refuseNext(1, 400, "AccessDeniedException");
    assertThat(refused(uri())).contains("grant dynamodb:GetItem, dynamodb:BatchGetItem");

    server.refuseNext(1, 400, "UnrecognizedClientException");
    assertThat(refused(uri())).contains("check who signs, and this machine's clock");
  }

  private OnlineStore store(String parameters, String... environments) {
    return OnlineStores.at(FakeTables.uri(server.endpoint(), "t-{environment}") + parameters)
        .ofEnvironments(Set.of(environments));
  }

  @Test
  public void theTableOfEachEnvironmentThatIsNamedIsLookedAt() throws Exception {
    server.createTable("t-production", "__id__", "__ns__");
    OnlineStore store = store("", "production", "staging");
    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .contains("the table t-staging is missing: add create=true to the URI");

    server.createTable("t-staging", "pk", "sk");

    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .contains("the keys of the table t-staging are pk S, sk S, not __id__ S, __ns__ S");
    long before = server.requests("UpdateItem");
    store("&create=true", "production", "next").check();
    assertThat(server.tables()).containsExactly("t-production", "t-staging", "t-next");
    // Each is written to and read for a trial.
    assertThat(server.requests("UpdateItem") - before).isEqualTo(2);
  }

  @Test
  public void aTableThatForgetsNothingIsToldToWhereTablesMayBeCreated() throws Exception {
    server.createTable("features", "__id__", "__ns__");

    assertThat(findings(uri() + "&create=true")).isEmpty();
    assertThat(findings(uri() + "&create=true")).isEmpty();

    assertThat(server.requests("UpdateTimeToLive")).isEqualTo(1);
  }

  @Test
  public void theRightsToTheTablesOfTheEnvironmentsAreEnough() throws Exception {
    server.createTable("t-production", "__id__", "__ns__");
    server.allowOnly("t-production");
    OnlineStore named = store("", "production");

    named.check();
    assertThat(named.identity()).isNotEmpty();
    for (OnlineStore each : List.of(named, store(""))) {
      each.check();
      try (OnlineStore.Connection connection = each.connect()) {
        assertThat(Duration.between(connection.now(), Instant.now()).abs())
            .isLessThan(Duration.ofMinutes(1));
      }
    }
    assertThat(assertThrows(UnavailableException.class, store("", "staging")::check))
        .hasMessageThat()
        .contains("grant dynamodb:GetItem");
  }

  @Test
  public void tablesOfEnvironmentsAreKnownByTheirAccount() throws Exception {
    server.account("111111111111");
    server.createTable("t-production", "__id__", "__ns__");
    server.createTable("t-development", "__id__", "__ns__");
    String production = store("", "production").identity();
    // One more environment makes no other store of it.
    assertThat(store("", "production", "development").identity()).isEqualTo(production);

    server.removeAll();
    server.account("222222222222");
    server.createTable("t-production", "__id__", "__ns__");

    assertThat(store("", "production").identity()).isNotEqualTo(production);
    assertThat(production).isEqualTo("arn:aws:dynamodb:eu-west-1:111111111111/t-{environment}");
  }

  @Test
  public void anyEnvironmentHasATableWhoseNameDynamoDbTakes() {
    for (String table :
        List.of("{environment}", "tailrace-{environment}", "x".repeat(230) + "{environment}")) {
      DynamoDbAddress address =
          DynamoDbAddress.of(EndpointUri.parse("dynamodb://eu-west-1/" + table));
      Set<String> names = new HashSet<>();
      List<String> environments =
          List.of(
              "", "a", "b", "/", "é".repeat(500), "e".repeat(1_000), "e".repeat(999) + "f", "prod");
      for (String environment : environments) {
        String name = address.table(environment);
        assertThat(name).matches("[A-Za-z0-9_.-]{3,255}");
        names.add(name);
      }
      assertThat(names).hasSize(environments.size());
      assertThat(address.table("production"))
          .isEqualTo(table.replace("{environment}", "production"));
    }
    String tooLong = "dynamodb://eu-west-1/" + "x".repeat(239) + "{environment}";
    assertThat(
            assertThrows(
                IllegalArgumentException.class,
                () -> DynamoDbAddress.of(EndpointUri.parse(tooLong))))
        .hasMessageThat()
        .contains("has no room for an environment: at most 238 characters beside {environment}");
  }

  @Test
  public void aSecretThatIsMissingIsNamed() {
    OnlineStore store =
        OnlineStores.at(
            "dynamodb://eu-west-1/features?accessKey=env:TAILRACE_NO_SUCH&secretKey=env:TAILRACE_NO_SUCH");

    assertThat(assertThrows(UnavailableException.class, store::check))
        .hasMessageThat()
        .contains("the environment variable TAILRACE_NO_SUCH is not set");
  }
}

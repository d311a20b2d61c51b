package io.tailrace.online.dynamodb;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.OnlineStore;
import io.tailrace.online.OnlineStores;
import io.tailrace.pipelines.local.servers.dynamodb.FakeDynamoDb;
import java.util.List;
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

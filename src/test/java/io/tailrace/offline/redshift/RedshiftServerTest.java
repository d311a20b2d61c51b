package io.tailrace.offline.redshift;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import com.amazon.redshift.Driver;
import com.amazon.redshift.util.RedshiftProperties;
import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.offline.OfflineStores;
import java.util.Properties;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What the driver of Redshift is told of who logs in. */
@RunWith(JUnit4.class)
public class RedshiftServerTest {
  private static final String CLUSTER = "wh.abc.eu-west-1.redshift.amazonaws.com";
  private static final String WORKGROUP =
      "features.123456789012.eu-west-1.redshift-serverless.amazonaws.com";

  private static String uri(String host, String login) {
    return "redshift://"
        + host
        + ":5439/features?schema=x&iamRole=default&stage=s3://bucket/stage&"
        + login;
  }

  private static RedshiftServer server(String host, String login) {
    return RedshiftAddress.of(EndpointUri.parse(uri(host, login))).server();
  }

  private static Properties told(RedshiftServer server) throws Exception {
    // The driver's own reading of what it is given.
    return Driver.parseURL(
        server.driverUrl(), new RedshiftProperties(server.properties(), new Properties()));
  }

  @Test
  public void iamIsAskedForTheDatabasesUserOfACluster() throws Exception {
    RedshiftServer server = server(CLUSTER, "iamLogin=true&user=writer");

    assertThat(server.driverUrl()).isEqualTo("jdbc:redshift:iam://" + CLUSTER + ":5439/features");
    Properties told = told(server);
    assertThat(told.getProperty("DbUser")).isEqualTo("writer");
    assertThat(told.getProperty("ssl")).isEqualTo("true");
    assertThat(told.getProperty("sslMode")).isEqualTo("verify-full");
    // As whom it asks, AWS's own tools find: no keys pass through a URI.
    assertThat(told.stringPropertyNames())
        .containsNoneOf(
            "user", "password", "AccessKeyID", "SecretAccessKey", "ClusterID", "Region");
    assertThat(told.getProperty("DBNAME")).isEqualTo("features");
  }

  @Test
  public void anAddressOfOnesOwnIsToldWithItsClusterAndRegion() throws Exception {
    Properties told =
        told(server("redshift.example.com", "iamLogin=true&user=w&cluster=wh&region=eu-west-1"));

    assertThat(told.getProperty("ClusterID")).isEqualTo("wh");
    assertThat(told.getProperty("Region")).isEqualTo("eu-west-1");
  }

  @Test
  public void ofAWorkgroupIamDecidesTheUser() throws Exception {
    RedshiftServer server = server(WORKGROUP, "iamLogin=true");

    assertThat(server.driverUrl()).startsWith("jdbc:redshift:iam://" + WORKGROUP);
    assertThat(server.properties().stringPropertyNames()).containsNoneOf("user", "DbUser");
  }

  @Test
  public void theLibraryThatAsksIamIsNamedWhereItIsMissing() {
    UnavailableException e =
        assertThrows(
            UnavailableException.class, () -> server(CLUSTER, "iamLogin=true&user=writer").open());
    assertThat(e)
        .hasMessageThat()
        .contains("iamLogin=true needs software.amazon.awssdk:redshift on the class path: add it");
    e = assertThrows(UnavailableException.class, () -> server(WORKGROUP, "iamLogin=true").open());
    assertThat(e).hasMessageThat().contains("software.amazon.awssdk:redshiftserverless on");
  }

  private static String problems(String login) {
    return assertThrows(IllegalArgumentException.class, () -> OfflineStores.at(uri(CLUSTER, login)))
        .getMessage();
  }

  @Test
  public void whatContradictsOrIsMissingIsSaid() {
    assertThat(problems("user=writer")).contains("or iamLogin=true&user=NAME");
    assertThat(problems("iamLogin=true")).contains("user=NAME is missing, as whom IAM lets");
    assertThat(problems("iamLogin=true&user=w&password=env:P"))
        .contains("password and iamLogin=true are both given: give one");
    assertThat(problems("iamLogin=yes&user=w&password=env:P"))
        .contains("iamLogin is true or false");
    assertThat(problems("user=w&password=env:P&region=eu-west-1"))
        .contains("cluster and region are for iamLogin=true");
    assertThat(problems("iamLogin=true&user=w&sslmode=disable"))
        .contains("iamLogin=true needs TLS: leave sslmode=disable out");
  }

  @Test
  public void aPasswordIsReadWhereItIs() throws Exception {
    RedshiftServer server = server(CLUSTER, "user=writer&password=file:/etc/hostname");

    assertThat(server.driverUrl()).isEqualTo("jdbc:redshift://" + CLUSTER + ":5439/features");
    assertThat(server.properties().getProperty("user")).isEqualTo("writer");
    assertThat(server.properties().getProperty("password")).isNotEmpty();
  }
}

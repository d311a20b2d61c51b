package io.tailrace.endpoint.aws;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;

/** Passwords of ElastiCache are those that another implementation of the signature makes. */
@RunWith(JUnit4.class)
public class CacheTokensTest {
  private static final String KEY = "AKIDEXAMPLE";
  private static final String SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
  private static final String COMMON =
      "&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20260131%2Feu-west-1"
          + "%2Felasticache%2Faws4_request&X-Amz-Date=20260131T120000Z&X-Amz-Expires=900"
          + "&X-Amz-SignedHeaders=host";

  private static String token(String name, AwsCredentials as, String time) {
    return CacheTokens.token(
        name,
        new AwsRequests(
            StaticCredentialsProvider.create(as),
            Clock.fixed(Instant.parse(time), ZoneOffset.UTC)));
  }

  /** The vectors were made with botocore. */
  @Test
  public void aTokenIsASignedAddress() {
    AwsCredentials key = AwsBasicCredentials.create(KEY, SECRET);
    String noon = "2026-01-31T12:00:00Z";

    assertSame(
        token("my-cache/writer@eu-west-1", key, noon),
        "my-cache/?Action=connect&User=writer"
            + COMMON
            + "&X-Amz-Signature=a8ee884eea86b939365b12e5ce34b0f7d355e0da61e024daabdf54a54284290f");
    assertSame(
        token("my-cache/writer/serverless@eu-west-1", key, noon),
        "my-cache/?Action=connect&User=writer&ResourceType=ServerlessCache"
            + COMMON
            + "&X-Amz-Signature=3c7d5e32202aba2e0e9679d47ae49913d18e380104e3a8efaf1131043a427b08");
    assertSame(
        token(
            "my-cache/writer@eu-west-1", AwsSessionCredentials.create(KEY, SECRET, "TOKEN"), noon),
        "my-cache/?Action=connect&User=writer"
            + COMMON
            + "&X-Amz-Security-Token=TOKEN"
            + "&X-Amz-Signature=48d9397605d25f91b8974d3580010aa8a53916ea249bd19becb8face76d2baa2");
  }

  /** In whatever order their parameters are, which the signature does not depend on. */
  private static void assertSame(String token, String expected) {
    assertThat(token.substring(0, token.indexOf('?')))
        .isEqualTo(expected.substring(0, expected.indexOf('?')));
    assertThat(parameters(token)).isEqualTo(parameters(expected));
  }

  private static Set<String> parameters(String token) {
    return new TreeSet<>(Arrays.asList(token.substring(token.indexOf('?') + 1).split("&", -1)));
  }

  @Test
  public void eachTokenIsOfItsOwnTime() {
    AwsCredentials key = AwsBasicCredentials.create(KEY, SECRET);

    assertThat(token("c/u@eu-west-1", key, "2026-01-31T12:00:00Z"))
        .isNotEqualTo(token("c/u@eu-west-1", key, "2026-01-31T12:00:01Z"));
  }

  @Test
  public void aNameThatIsNoneIsRefused() {
    for (String name : new String[] {"cache", "cache/", "/user", "cache/user/other", "c/u@"}) {
      assertThat(
              assertThrows(
                  IllegalStateException.class,
                  () ->
                      token(name, AwsBasicCredentials.create(KEY, SECRET), "2026-01-31T12:00:00Z")))
          .hasMessageThat()
          .contains("is not such as elasticache:CACHE/USER");
    }
  }
}

package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.endpoint.EndpointUri.Host;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.junit.Test;

/** How a {@link EndpointUri} is taken apart, what it finds wrong, and that it keeps secrets. */
public class EndpointUriTest {
  private static final String EXAMPLE = "bus://host:1/topic";

  @Test
  public void takesAUriApart() {
    EndpointUri uri = EndpointUri.parse("  Bus+TLS://a:1,b/some/path?x=1&y=two \n");

    assertThat(uri.scheme()).isEqualTo("bus+tls");
    assertThat(uri.hosts(7)).containsExactly(new Host("a", 1), new Host("b", 7)).inOrder();
    assertThat(uri.path()).isEqualTo("some/path");
    assertThat(uri.take("x")).hasValue("1");
    assertThat(uri.take("x")).isEmpty();
    assertThat(uri.take("y")).hasValue("two");
    uri.finish(EXAMPLE);
  }

  @Test
  public void withoutPathOrParametersTheyAreEmpty() {
    EndpointUri uri = EndpointUri.parse("bus://a");

    assertThat(uri.path()).isEmpty();
    assertThat(uri.take("x")).isEmpty();
    assertThat(uri.hosts(7)).containsExactly(new Host("a", 7));
    uri.finish(EXAMPLE);
  }

  @Test
  public void textWithoutASchemeHasNone() {
    assertThat(EndpointUri.parse("localhost:9092/topic").scheme()).isEmpty();
    assertThat(EndpointUri.parse("").scheme()).isEmpty();
  }

  @Test
  public void anIpv6AddressStandsInBrackets() {
    EndpointUri uri = EndpointUri.parse("bus://[::1]:9092,[2001:db8::2]/t");

    assertThat(uri.hosts(7))
        .containsExactly(new Host("[::1]", 9092), new Host("[2001:db8::2]", 7))
        .inOrder();
    uri.finish(EXAMPLE);
  }

  @Test
  public void anIpv6AddressWithoutBracketsIsAProblem() {
    for (String host : List.of("::1", "2001:db8::2", "[::1", "[::1]x", "[]", "a:1:2")) {
      assertWithMessage(host)
          .that(problemsOfHosts("bus://" + host + "/t"))
          .contains("'" + host + "' is not a host: write an IPv6 address as [::1]:7");
    }
  }

  @Test
  public void aHostWithoutNameOrWithAWrongPortIsAProblem() {
    assertThat(problemsOfHosts("bus:///t")).contains("a host is missing");
    assertThat(problemsOfHosts("bus://a,,b/t")).contains("a host is missing");
    assertThat(problemsOfHosts("bus://:9092/t")).contains("a host is missing");
    for (String port : List.of("0", "65536", "-1", "x", "", "99999999999")) {
      assertThat(problemsOfHosts("bus://a:" + port + "/t"))
          .contains("'a:" + port + "' has no port between 1 and 65535");
    }
  }

  @Test
  public void percentEncodingIsUndoneAndAPlusIsAPlus() {
    EndpointUri uri = EndpointUri.parse("bus://a/t?x=a%26b%3Dc%20d+e&y=%C3%A9&z=k=v");

    assertThat(uri.take("x")).hasValue("a&b=c d+e");
    assertThat(uri.take("y")).hasValue("é");
    assertThat(uri.take("z")).hasValue("k=v");
    uri.finish(EXAMPLE);
  }

  @Test
  public void aPercentWithoutDigitsNamesTheParameter() {
    assertThat(problems(EndpointUri.parse("bus://a?x=100%")))
        .contains("parameter 'x' has a '%' that two hexadecimal digits should follow");
  }

  @Test
  public void everyProblemIsSaidAtOnceWithTheUriAndACorrectOne() {
    EndpointUri uri =
        EndpointUri.parse("bus://a:x,:1/t?n=ten&d=soon&twice=1&twice=2&flag&s=s3cret");
    uri.hosts(7);
    uri.takeInt("n", 1, 10);
    uri.takeDuration("d");
    uri.takeSecret("s");
    uri.problem("the topic is odd");

    assertThat(problems(uri))
        .isEqualTo(
            "'bus://a:x,:1/t?n=ten&d=soon&twice=***&twice=***&flag&s=***':"
                + " parameter 'twice' is given twice;"
                + " a parameter has no value: write name=value, and '&' within a value as %26;"
                + " 'a:x' has no port between 1 and 65535;"
                + " a host is missing;"
                + " n=ten is not a whole number between 1 and 10;"
                + " d=soon is not a duration such as 500ms, 30s, 10m, 1h or 14d;"
                + " s must say where the secret is, env:VARIABLE or file:PATH, not what it is;"
                + " the topic is odd;"
                + " parameter 'twice' is unknown; known are n, d, s."
                + " Example: bus://host:1/topic");
  }

  @Test
  public void wholeNumbersAreWithinTheirBounds() {
    assertThat(EndpointUri.parse("bus://a?n=1").takeInt("n", 1, 10)).hasValue(1);
    assertThat(EndpointUri.parse("bus://a?n=10").takeInt("n", 1, 10)).hasValue(10);
    assertThat(EndpointUri.parse("bus://a").takeInt("n", 1, 10)).isEmpty();
    for (String wrong : List.of("0", "11", "1.5", "", "99999999999")) {
      EndpointUri uri = EndpointUri.parse("bus://a?n=" + wrong);

      assertThat(uri.takeInt("n", 1, 10)).isEmpty();
      assertThat(problems(uri)).contains("n=" + wrong + " is not a whole number between 1 and 10");
    }
  }

  @Test
  public void durationsAreTakenWithinTheirBounds() {
    assertThat(EndpointUri.parse("bus://a?d=5m").takeDuration("d")).hasValue(Duration.ofMinutes(5));
    assertThat(EndpointUri.parse("bus://a").takeDuration("d")).isEmpty();
    assertThat(EndpointUri.parse("bus://a?d=0s").takeDurationOrZero("d")).hasValue(Duration.ZERO);
    EndpointUri uri = EndpointUri.parse("bus://a?d=0s&e=110000000d");

    assertThat(uri.takeDuration("d")).isEmpty();
    assertThat(uri.takeDurationOrZero("e")).isEmpty();
    assertThat(problems(uri))
        .contains(
            ": d=0s is not between 1ms and 36500d (100 years);"
                + " e=110000000d is not between 1ms and 36500d (100 years).");
  }

  @Test
  public void namesWithADotAreSettingsOfTheClient() {
    EndpointUri uri = EndpointUri.parse("bus://a?security.protocol=SSL&x=1&max.poll.records=5");

    Set<String> names = Set.of("security.protocol", "max.poll.records", "x");
    assertThat(uri.takeDotted(names))
        .containsExactly("security.protocol", "SSL", "max.poll.records", "5");
    assertThat(uri.takeDotted(names)).isEmpty();
    assertThat(problems(uri)).contains("parameter 'x' is unknown");
  }

  @Test
  public void aMisspeltSettingIsRefusedWithTheNearestAndItsValueHidden() {
    EndpointUri uri =
        EndpointUri.parse("bus://a?security.protocl=SSL&ssl.keystore.pasword=hunter2&no.such=1");

    assertThat(
            uri.takeDotted(
                Set.of("security.protocol", "security.providers", "ssl.keystore.password")))
        .isEmpty();

    assertThat(problems(uri))
        .isEqualTo(
            "'bus://a?security.protocl=***&ssl.keystore.pasword=***&no.such=***':"
                + " parameter 'security.protocl' is unknown (security.protocol?);"
                + " parameter 'ssl.keystore.pasword' is unknown (ssl.keystore.password?);"
                + " parameter 'no.such' is unknown. Example: bus://host:1/topic");
  }

  // ---- Secrets

  @Test
  public void aSecretSaysWhereItIs() {
    EndpointUri uri = EndpointUri.parse("bus://a?password=env:PASSWORD&key=file%3A/run/key");

    assertThat(uri.takeSecret("password").orElseThrow().toString()).isEqualTo("env:PASSWORD");
    assertThat(uri.takeSecret("key").orElseThrow().toString()).isEqualTo("file:/run/key");
    assertThat(uri.takeSecret("other")).isEmpty();
    assertThat(uri.toString()).isEqualTo("bus://a?password=env:PASSWORD&key=file%3A/run/key");
    uri.finish(EXAMPLE);
  }

  @Test
  public void aUserPartIsRefusedAndNeverShown() {
    for (String user :
        List.of(
            "me:hunter2",
            ":hunter2",
            "hunter2",
            "me:a/hunter2",
            "me:a?hunter2",
            "me:a@hunter2",
            "me:a#hunter2:x",
            "me:a=hunter2",
            "me:hunter2,hunter2")) {
      for (String rest : List.of("a:1", "a:1/t", "a:x,b/t?n=1", "a?n=m@b.c")) {
        String text = "bus://" + user + "@" + rest;
        EndpointUri uri = EndpointUri.parse(text);

        List<Host> hosts = uri.hosts(7);

        assertWithMessage(text).that(hosts.get(0).name()).isEqualTo("a");
        assertWithMessage(text).that(uri.toString()).isEqualTo("bus://***@" + rest);
        String problems = problems(uri);
        assertWithMessage(text)
            .that(problems)
            .contains("user and password don't belong into a URI");
        assertWithMessage(text).that(problems).doesNotContain("hunter2");
      }
    }
  }

  @Test
  public void aSecretThatStandsInTheUriIsRefusedAndNeverShown() {
    for (String name :
        List.of(
            "password",
            "PASSWORD",
            "ssl.key.password",
            "ssl.keystore.key",
            "sasl.jaas.config",
            "client.secret",
            "pwd",
            "pass",
            "token",
            "apiKey",
            "aws.credentials")) {
      for (String value :
          List.of(
              "hunter2", "hunter2%", "x%2hunter2", "x&hunter2", "a=hunter2", "environ:hunter2")) {
        String text = "bus://a:1/t?n=1&" + name + "=" + value + "&m=2";
        EndpointUri uri = EndpointUri.parse(text);
        uri.takeSecret(name);

        assertWithMessage(text).that(uri.toString()).isEqualTo("bus://a:1/t?n=1&" + name + "=***");
        assertWithMessage(text)
            .that(problems(uri))
            .isEqualTo(
                "'bus://a:1/t?n=***&"
                    + name
                    + "=***': "
                    + name
                    + " must say where the secret is, env:VARIABLE or file:PATH, not what it is;"
                    + " nothing behind it was looked at;"
                    + " parameter 'n' is unknown"
                    + (name.contains(".") ? "" : "; known are " + name)
                    + ". Example: bus://host:1/topic");
      }
    }
  }

  @Test
  public void whatMayBeTheRestOfASecretIsHiddenWithIt() {
    for (String name : List.of("key", "sslkey", "token", "n=1&credentials")) {
      EndpointUri uri = EndpointUri.parse("bus://a?" + name + "=ab&hunter2&hunter3&m=1");

      assertWithMessage(name).that(uri.toString()).doesNotContain("hunter");
      assertWithMessage(name).that(problems(uri)).doesNotContain("hunter");
    }
  }

  @Test
  public void nothingBehindASecretIsSaidWhateverAsksForIt() {
    for (String name : List.of("password", "s")) {
      EndpointUri uri = EndpointUri.parse("bus://a?n=1&" + name + "=ab&c=d&c=%&e=f");
      assertThat(uri.takeSecret(name)).isEmpty();
      assertThat(uri.take("c")).isEmpty();
      assertThat(uri.takeInt("e", 1, 2)).isEmpty();
      assertThat(uri.take("n")).isPresent();

      assertThat(problems(uri))
          .isEqualTo(
              "'bus://a?n=1&"
                  + name
                  + "=***': "
                  + name
                  + " must say where the secret is, env:VARIABLE or file:PATH, not what it is;"
                  + " nothing behind it was looked at. Example: bus://host:1/topic");
    }
  }

  @Test
  public void aSecretThatNobodyAsksForIsUnknownAndHidesWhatFollows() {
    EndpointUri uri = EndpointUri.parse("bus://a?apiPassword=ab&c=d");
    assertThat(uri.toString()).isEqualTo("bus://a?apiPassword=***");
    assertThat(uri.take("x")).isEmpty();

    assertThat(problems(uri))
        .isEqualTo(
            "'bus://a?apiPassword=***': parameter 'apiPassword' is unknown; known are x."
                + " Example: bus://host:1/topic");
  }

  @Test
  public void anUnknownParameterIsRefusedWithTheNamesThatAreKnown() {
    EndpointUri uri = EndpointUri.parse("bus://a?shema=x&pasword=hunter2");
    uri.take("schema");
    uri.takeInt("size", 1, 2);
    uri.takeDuration("timeout");
    uri.takeSecret("password");
    uri.takeSecret("ssl.key");

    assertThat(problems(uri))
        .isEqualTo(
            "'bus://a?shema=***&pasword=***': parameter 'shema' is unknown;"
                + " parameter 'pasword' is unknown;"
                + " known are schema, size, timeout, password."
                + " Example: bus://host:1/topic");
  }

  @Test
  public void whatIsNoSecretIsShown() {
    String text = "bus://a:1/t?user=me@b.c&keyStore=/etc/client.p12&n=1";

    assertThat(EndpointUri.parse(text).toString()).isEqualTo(text);
    assertThat(EndpointUri.parse(text).hosts(7)).containsExactly(new Host("a", 1));
  }

  private static String problemsOfHosts(String text) {
    EndpointUri uri = EndpointUri.parse(text);
    uri.hosts(7);
    return problems(uri);
  }

  private static String problems(EndpointUri uri) {
    return assertThrows(IllegalArgumentException.class, () -> uri.finish(EXAMPLE)).getMessage();
  }
}

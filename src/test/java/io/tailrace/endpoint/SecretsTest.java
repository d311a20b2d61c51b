package io.tailrace.endpoint;

import static com.google.common.truth.Truth.assertThat;

import org.junit.Test;

/** That each of {@link Secrets#ALL} is found by its own example, and shown. */
public class SecretsTest {
  @Test
  public void everyPlaceIsFoundByItsExample() {
    for (SecretPlace place : Secrets.ALL) {
      Secret secret = Secret.parse(place.example()).orElseThrow();

      assertThat(secret.toString()).isEqualTo(place.example());
      assertThat(Secrets.place(place.scheme())).hasValue(place);
      assertThat(EndpointUri.parse("bus://a?password=" + place.example()).toString())
          .isEqualTo("bus://a?password=" + place.example());
    }
  }

  @Test
  public void sentencesShowThePlacesThatEveryMachineHas() {
    assertThat(Secrets.examples("password="))
        .isEqualTo("password=env:VARIABLE or password=file:PATH");
    assertThat(Secrets.example()).isEqualTo("env:VARIABLE");
  }
}

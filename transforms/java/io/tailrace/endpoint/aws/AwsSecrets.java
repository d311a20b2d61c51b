package io.tailrace.endpoint.aws;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.tailrace.endpoint.SecretPlace;
import io.tailrace.endpoint.SecretServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * Secrets of AWS Secrets Manager: {@code aws:NAME} or {@code aws:ARN}, and with {@code #KEY} behind
 * it one value of a secret that is a JSON object. The region is that of the ARN, or the machine's.
 * Stateless and thread-safe.
 */
public final class AwsSecrets {
  /** Where they are. */
  public static final SecretPlace PLACE =
      new SecretPlace("aws", "aws:NAME", name -> read("aws:" + name, name));

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Pattern ARN =
      Pattern.compile("arn:aws[a-z-]*:secretsmanager:([a-z0-9-]+):\\d{12}:secret:.+");

  /** What Amazon's own tools call it. */
  private static final String ENDPOINT = "AWS_ENDPOINT_URL_SECRETS_MANAGER";

  private AwsSecrets() {}

  private static String read(String place, String name) {
    return AwsLibrary.read(place, () -> ask(place, name, AwsRequests.ofMachine()));
  }

  private static String ask(String place, String name, AwsRequests requests) {
    int hash = name.lastIndexOf('#');
    String id = hash < 0 ? name : name.substring(0, hash);
    Matcher arn = ARN.matcher(id);
    String region =
        AwsRequests.region(arn.matches() ? Optional.of(arn.group(1)) : Optional.empty());
    String endpoint =
        SecretServer.endpoint(ENDPOINT, "https://secretsmanager." + region + ".amazonaws.com");
    String body;
    try {
      body = JSON.writeValueAsString(Map.of("SecretId", id));
    } catch (IOException e) {
      throw new IllegalStateException(place + " is no name of a secret", e);
    }
    SdkHttpRequest request =
        requests.signed(
            SdkHttpRequest.builder()
                .method(SdkHttpMethod.POST)
                .uri(URI.create(endpoint + "/"))
                .putHeader("Content-Type", "application/x-amz-json-1.1")
                .putHeader("X-Amz-Target", "secretsmanager.GetSecretValue")
                .build(),
            body,
            "secretsmanager",
            region);
    HttpRequest.Builder http =
        HttpRequest.newBuilder(request.getUri()).POST(HttpRequest.BodyPublishers.ofString(body));
    request
        .headers()
        .forEach(
            (header, values) -> {
              // Java's client sets these itself, as they were signed.
              if (!header.equalsIgnoreCase("Host") && !header.equalsIgnoreCase("Content-Length")) {
                values.forEach(value -> http.header(header, value));
              }
            });
    JsonNode answer = SecretServer.ask(place, http);
    String text =
        answer.has("SecretString")
            ? answer.path("SecretString").asText()
            : new String(
                Base64.getDecoder().decode(answer.path("SecretBinary").asText()),
                StandardCharsets.UTF_8);
    return hash < 0 ? text : value(place, text, name.substring(hash + 1));
  }

  private static String value(String place, String text, String key) {
    JsonNode value;
    try {
      value = JSON.readTree(text).get(key);
    } catch (IOException e) {
      // What it says quotes the secret.
      throw new IllegalStateException(place + " names a key, and the secret is no JSON object");
    }
    if (value == null || !value.isValueNode()) {
      throw new IllegalStateException(place + " names a key that the secret does not have");
    }
    return value.asText();
  }
}

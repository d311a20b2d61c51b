package io.tailrace.bus.pubsub;

import static com.google.common.truth.Truth.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** Makes topics and subscriptions on whatever listens at an address. */
public final class PubSubTopics {
  /** The project of all tests. */
  public static final String PROJECT = "tailrace-test";

  private final String host;

  private PubSubTopics(String host) {
    this.host = host;
  }

  /** Makes them at a host and port. */
  public static PubSubTopics at(String host) {
    return new PubSubTopics(host);
  }

  /** Makes a topic with a subscription of the same name, and returns the URI of both. */
  public String create(String name) throws IOException, InterruptedException {
    createTopic(name);
    return subscribe(name, name);
  }

  /** Makes a topic alone and returns its URI. */
  public String createTopic(String name) throws IOException, InterruptedException {
    put("topics/" + name, "{}");
    return uri(name);
  }

  /** Makes another subscription of a topic and returns its URI. */
  public String subscribe(String subscription, String topic)
      throws IOException, InterruptedException {
    put(
        "subscriptions/" + subscription,
        "{\"topic\":\"projects/" + PROJECT + "/topics/" + topic + "\"}");
    return uri(subscription);
  }

  /** Returns the URI of a topic or a subscription, which may be missing. */
  public String uri(String name) {
    return "pubsub://" + PROJECT + "/" + name + "?emulator=" + host;
  }

  /** Returns the full name of a subscription. */
  public static String subscription(String name) {
    return "projects/" + PROJECT + "/subscriptions/" + name;
  }

  /** Returns the full name of a topic. */
  public static String topic(String name) {
    return "projects/" + PROJECT + "/topics/" + name;
  }

  private void put(String path, String body) throws IOException, InterruptedException {
    // A client of its own: one that is kept would send on a connection that the server just closed.
    HttpResponse<String> response =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(
                        URI.create("http://" + host + "/v1/projects/" + PROJECT + "/" + path))
                    .header("Content-Type", "application/json")
                    .PUT(HttpRequest.BodyPublishers.ofString(body))
                    .build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(response.body() + response.statusCode()).endsWith("200");
  }
}

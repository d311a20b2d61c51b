package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Where a pod is given a cloud's login for its service account: at addresses of its own node, which
 * are neither DNS nor HTTPS. Google's own addresses: <a
 * href="https://cloud.google.com/kubernetes-engine/docs/how-to/network-policy">with Workload
 * Identity</a>; Amazon's: <a
 * href="https://docs.aws.amazon.com/eks/latest/userguide/pod-id-agent-setup.html">the Pod Identity
 * Agent</a>.
 */
enum CloudLogin {
  /** The metadata server, with Dataplane V2 and without. */
  GOOGLE(
      List.of("pubsub://", "bigquery://", "gs://", "=gcp:"),
      new TreeMap<>(Map.of("169.254.169.254/32", 80, "169.254.169.252/32", 988))),

  /** The agent of EKS; an identity of IAM for a service account needs HTTPS alone. */
  AMAZON(
      List.of("dynamodb://", "s3://", "=aws:", "AWS_MSK_IAM"),
      new TreeMap<>(Map.of("169.254.170.23/32", 80)));

  private final List<String> signs;
  private final TreeMap<String, Integer> portByAddress;

  CloudLogin(List<String> signs, TreeMap<String, Integer> portByAddress) {
    this.signs = signs;
    this.portByAddress = portByAddress;
  }

  /**
   * Returns what a network policy must let out for the clouds that some texts name.
   *
   * @param texts a writer's options, and where its state is
   */
  static List<ObjectNode> egress(List<String> texts) {
    List<ObjectNode> rules = new ArrayList<>();
    for (CloudLogin each : values()) {
      if (texts.stream().anyMatch(text -> each.signs.stream().anyMatch(text::contains))) {
        each.portByAddress.forEach(
            (address, port) ->
                rules.add(
                    Tree.object(
                        "to",
                        List.of(Tree.object("ipBlock", Tree.object("cidr", address))),
                        "ports",
                        List.of(Tree.object("protocol", "TCP", "port", port)))));
      }
    }
    return rules;
  }
}

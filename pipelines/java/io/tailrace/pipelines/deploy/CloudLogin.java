package io.tailrace.pipelines.deploy;

import com.fasterxml.jackson.databind.node.ObjectNode;
import com.google.common.collect.ImmutableList;
import com.google.common.collect.ImmutableSortedMap;
import java.util.ArrayList;
import java.util.List;

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
      ImmutableList.of("pubsub://", "bigquery://", "gs://", "=gcp:"),
      ImmutableSortedMap.of("169.254.169.254/32", 80, "169.254.169.252/32", 988)),

  /** The agent of EKS; an identity of IAM for a service account needs HTTPS alone. */
  AMAZON(
      ImmutableList.of("dynamodb://", "s3://", "=aws:", "=elasticache:", "AWS_MSK_IAM"),
      ImmutableSortedMap.of("169.254.170.23/32", 80));

  private final ImmutableList<String> signs;
  private final ImmutableSortedMap<String, Integer> portByAddress;

  CloudLogin(ImmutableList<String> signs, ImmutableSortedMap<String, Integer> portByAddress) {
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

package io.tailrace.offline.redshift;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Login;
import java.io.Serializable;
import java.util.Optional;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Who logs in to a Redshift: a user with a password; or whoever AWS says that this process is (by
 * environment, profile or role), for whom the driver asks IAM for temporary credentials at each
 * connection. Immutable; holds no secret, only where one is.
 *
 * @param user the database's user, and where its password is, if it is by one
 * @param iam what IAM is asked about; null: it is by password
 */
record RedshiftLogin(Login user, @Nullable Iam iam) implements Serializable {
  private static final long serialVersionUID = 1;

  private static final String WORKGROUPS = ".redshift-serverless";
  private static final String EXAMPLE = "iamLogin=true&user=NAME";

  /**
   * What the host's name does not say where it is one of one's own.
   *
   * @param cluster the cluster's identifier; null: as the host says
   * @param region such as {@code eu-west-1}; null: as the host says
   * @param workgroup whether it is a workgroup of Redshift Serverless, whose user IAM decides
   */
  record Iam(@Nullable String cluster, @Nullable String region, boolean workgroup)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * Takes who logs in out of a URI, whose other parts and problems are left to the caller.
   *
   * @param host of the database
   */
  static RedshiftLogin of(EndpointUri uri, String host) {
    Login user = Login.of(uri);
    String byIam = uri.take("iamLogin").orElse("false");
    Optional<String> cluster = uri.take("cluster");
    Optional<String> region = uri.take("region");
    if (!byIam.equals("true") && !byIam.equals("false")) {
      uri.problem("iamLogin is true or false");
    }
    if (!byIam.equals("true")) {
      if (user.user().isEmpty() || user.password().isEmpty()) {
        uri.problem(
            "user=NAME and password are given together, and both are needed; or " + EXAMPLE);
      }
      if (cluster.isPresent() || region.isPresent()) {
        uri.problem("cluster and region are for iamLogin=true");
      }
      return new RedshiftLogin(user, null);
    }
    boolean isWorkgroup = host.contains(WORKGROUPS);
    if (user.password().isPresent()) {
      uri.problem("password and iamLogin=true are both given: give one");
    }
    if (user.user().isEmpty() && !isWorkgroup) {
      uri.problem("user=NAME is missing, as whom IAM lets this process log in: " + EXAMPLE);
    }
    return new RedshiftLogin(user, new Iam(cluster.orElse(null), region.orElse(null), isWorkgroup));
  }

  /** Returns how the driver's addresses begin. */
  String scheme() {
    return iam == null ? "jdbc:redshift://" : "jdbc:redshift:iam://";
  }

  /**
   * Tells the driver who logs in.
   *
   * @throws IllegalStateException if a secret is not where it should be
   */
  void put(Properties properties) {
    if (iam == null) {
      user.user().ifPresent(name -> properties.setProperty("user", name));
      user.password().ifPresent(secret -> properties.setProperty("password", secret.read()));
      return;
    }
    user.user().ifPresent(name -> properties.setProperty("DbUser", name));
    put(properties, "ClusterID", iam.cluster);
    put(properties, "Region", iam.region);
  }

  private static void put(Properties properties, String name, @Nullable String value) {
    if (value != null) {
      properties.setProperty(name, value);
    }
  }

  /** Returns what to add to the class path, as the driver asks IAM with it; empty: nothing. */
  Optional<String> missingLibrary() {
    if (iam == null) {
      return Optional.empty();
    }
    String service = iam.workgroup ? "redshiftserverless" : "redshift";
    String client =
        "software.amazon.awssdk.services."
            + service
            + (iam.workgroup ? ".RedshiftServerlessClient" : ".RedshiftClient");
    try {
      Class<?> unused = Class.forName(client, false, RedshiftLogin.class.getClassLoader());
      return Optional.empty();
    } catch (ClassNotFoundException e) {
      return Optional.of(
          "iamLogin=true needs software.amazon.awssdk:" + service + " on the class path: add it");
    }
  }
}

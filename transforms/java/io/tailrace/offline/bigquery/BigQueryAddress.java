package io.tailrace.offline.bigquery;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.Timeouts;
import io.tailrace.parquet.TableNames;
import java.io.Serializable;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * What a BigQuery URI says. Immutable.
 *
 * @param text the URI
 * @param project the project of all datasets
 * @param dataset the dataset's name, perhaps with {@link #ENVIRONMENT} in it
 * @param access how its interface is called
 * @param sink how rows are written
 */
record BigQueryAddress(String text, String project, String dataset, Access access, Sink sink)
    implements Serializable {
  private static final long serialVersionUID = 1;

  /** Stands for the environment in the name of a dataset. */
  static final String ENVIRONMENT = "{environment}";

  static final String EXAMPLE = "bigquery://my-project/tailrace_{environment}?location=EU";

  private static final String ENDPOINT = "https://bigquery.googleapis.com";
  private static final Duration REPLY = Duration.ofSeconds(30);
  private static final Duration COMMIT_EVERY = Duration.ofSeconds(5);

  /**
   * How the REST interface is called.
   *
   * @param location where datasets are created; empty: BigQuery's default
   */
  record Access(String endpoint, String location, Timeouts timeouts) implements Serializable {
    private static final long serialVersionUID = 1;

    /** Returns whether it is Google's, or somebody's who speaks TLS: only these get a token. */
    boolean isTls() {
      return endpoint.startsWith("https:");
    }
  }

  /**
   * How rows are written.
   *
   * @param exactlyOnce in streams of their own with offsets, not in the default stream
   * @param commitEvery how often those become readable
   * @param latest whether the newest observation of each entity is kept, too
   */
  record Sink(boolean exactlyOnce, Duration commitEvery, boolean latest) implements Serializable {
    private static final long serialVersionUID = 1;
  }

  static BigQueryAddress of(EndpointUri uri) {
    List<EndpointUri.Host> hosts = uri.hosts(0);
    String project = hosts.size() == 1 ? hosts.get(0).name() : "";
    if (hosts.size() > 1) {
      uri.problem("one project holds all datasets, several are named");
    } else if (hosts.size() == 1 && !project.matches("[a-z][a-z0-9-]{4,28}[a-z0-9]")) {
      uri.problem(
          "'"
              + project
              + "' is not the id of a project: 6 to 30 small letters, digits and '-', such as"
              + " my-project-123");
    } else if (hosts.size() == 1 && hosts.get(0).port() != 0) {
      uri.problem("a project has no port: another server is named with endpoint=https://HOST");
    }
    String dataset = uri.path();
    checkDataset(uri, dataset);
    boolean exactlyOnce = takeBoolean(uri, "exactlyOnce");
    boolean latest = takeBoolean(uri, "latest");
    Optional<Duration> commitEvery = uri.takeDuration("commitEvery");
    if (commitEvery.isPresent() && !exactlyOnce) {
      uri.problem("commitEvery is for exactlyOnce=true: rows are readable at once without it");
    }
    String endpoint = uri.take("endpoint").orElse(ENDPOINT);
    if (!endpoint.matches("https?://[^/]+/?")) {
      uri.problem("endpoint=" + endpoint + " is not an address such as " + ENDPOINT);
    }
    Access access =
        new Access(
            endpoint.replaceFirst("/$", ""),
            uri.take("location").orElse(""),
            Timeouts.of(uri, REPLY));
    uri.finish(EXAMPLE);
    return new BigQueryAddress(
        uri.withoutSecrets(),
        project,
        dataset,
        access,
        new Sink(exactlyOnce, commitEvery.orElse(COMMIT_EVERY), latest));
  }

  private static void checkDataset(EndpointUri uri, String dataset) {
    if (dataset.isEmpty()) {
      uri.problem("the dataset is missing: it follows the project and a slash");
    } else if (!dataset.replace(ENVIRONMENT, "e").matches("[A-Za-z0-9_]{1,900}")) {
      uri.problem(
          "'"
              + dataset
              + "' is not the name of a dataset: letters, digits and '_', with or without "
              + ENVIRONMENT);
    } else if (dataset.indexOf(ENVIRONMENT) != dataset.lastIndexOf(ENVIRONMENT)) {
      uri.problem("'" + dataset + "' has " + ENVIRONMENT + " twice");
    }
  }

  private static boolean takeBoolean(EndpointUri uri, String name) {
    String value = uri.take(name).orElse("false");
    if (!value.equals("true") && !value.equals("false")) {
      uri.problem(name + "=" + value + " is neither true nor false");
    }
    return value.equals("true");
  }

  /** Returns whether each environment has a dataset of its own. */
  boolean separatesEnvironments() {
    return dataset.contains(ENVIRONMENT);
  }

  /** Returns the name of an environment's dataset. */
  String dataset(String environment) {
    return dataset.replace(ENVIRONMENT, TableNames.ofEnvironment(environment));
  }

  /** Returns whether a name is that of the dataset of some environment. */
  boolean isDataset(String name) {
    int at = dataset.indexOf(ENVIRONMENT);
    String behind = dataset.substring(at + ENVIRONMENT.length());
    return name.length() >= at + behind.length() + 1
        && name.startsWith(dataset.substring(0, at))
        && name.endsWith(behind);
  }

  /** Returns the name of a table or view of a dataset as it stands in a statement. */
  String place(String ofDataset, String table) {
    return '`' + project + '.' + ofDataset + '.' + table + '`';
  }
}

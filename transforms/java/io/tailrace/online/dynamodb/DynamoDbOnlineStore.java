package io.tailrace.online.dynamodb;

import io.tailrace.endpoint.EndpointUri;
import io.tailrace.endpoint.UnavailableException;
import io.tailrace.online.OnlineStore;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Amazon DynamoDB: an entity is an item, with a binary attribute for each feature, whose value is
 * its {@linkplain io.tailrace.online.Cell cell}. Without {@code {environment}} in its URI a table
 * holds one environment. Immutable.
 *
 * <pre>
 *  __id__          partition key  the primary key as text
 *  __ns__          sort key       the feature namespace
 *  __exp__         number         until when the item is kept, in seconds: its TTL; null: for ever
 *  __version__     binary         another one after each write; an item without it is not ours
 *  __fence__       binary         up to when the entity is deleted, as the time of a cell; absent: none
 *  __remembered__  binary         until when fence and tombstones are remembered; absent: there are none
 *  __due__         number         from when on something in it is over, in seconds; absent: never
 *  FEATURE         binary         the cell of a feature, by its name without its namespace
 * </pre>
 *
 * <p>A feature's name that begins with an underscore gets another one before it, and one more where
 * what follows its underscores is what follows them in one of the names above.
 */
public final class DynamoDbOnlineStore implements OnlineStore {
  private static final long serialVersionUID = 1;
  private static final Logger LOG = LoggerFactory.getLogger(DynamoDbOnlineStore.class);

  /** The scheme of its URIs. */
  public static final String SCHEME = "dynamodb";

  /** A correct URI. */
  public static final String EXAMPLE = DynamoDbAddress.EXAMPLE;

  private final DynamoDbAddress address;

  private DynamoDbOnlineStore(DynamoDbAddress address) {
    this.address = address;
  }

  /**
   * Returns the store that a {@code dynamodb} URI names.
   *
   * @throws IllegalArgumentException listing everything that is wrong with the URI
   */
  public static DynamoDbOnlineStore at(EndpointUri uri) {
    return new DynamoDbOnlineStore(DynamoDbAddress.of(uri));
  }

  @Override
  public String uri() {
    return address.text();
  }

  @Override
  public boolean separatesEnvironments() {
    return address.separatesEnvironments();
  }

  @Override
  public OnlineStore ofEnvironments(Set<String> environments) {
    return new DynamoDbOnlineStore(address.ofEnvironments(environments));
  }

  @Override
  public void check() throws UnavailableException {
    try (DynamoDbServer server = new DynamoDbServer(address, new Charges())) {
      for (String finding : DynamoDbCheck.check(address, server)) {
        LOG.warn("{}: {}", address.text(), finding);
      }
    }
  }

  @Override
  public String identity() throws UnavailableException {
    try (DynamoDbServer server = new DynamoDbServer(address, new Charges())) {
      return new DynamoDbTables(address, server).identity();
    }
  }

  @Override
  public Connection connect() {
    return new DynamoDbConnection(address);
  }

  @Override
  public String toString() {
    return uri();
  }
}

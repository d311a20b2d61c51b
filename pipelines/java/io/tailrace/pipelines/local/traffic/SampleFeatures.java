package io.tailrace.pipelines.local.traffic;

import io.tailrace.endpoint.Micros;
import io.tailrace.v1.Column;
import io.tailrace.v1.Column.CacheNulls;
import io.tailrace.v1.QueryResult.OperationKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * A believable feature store of a payment company: what entities it has, what features these have,
 * and what queries compute them. Every value type, every handling of nulls and every reason not to
 * store a value occurs. Immutable.
 */
final class SampleFeatures {
  /** Online for ever: the largest int64, by the contract. */
  private static final long FOREVER = Long.MAX_VALUE;

  private static final long HOURS = micros(Duration.ofHours(6));
  private static final long DAY = micros(Duration.ofDays(1));
  private static final long MONTH = micros(Duration.ofDays(30));
  private static final long NEVER = 0;

  private static final List<String> COUNTRIES = List.of("DE", "FR", "JP", "BR", "US", "IN", "");
  private static final List<String> CURRENCIES = List.of("EUR", "JPY", "BRL", "USD", "INR");
  private static final List<String> CATEGORIES =
      List.of("groceries", "travel", "electronics", "books", "café & bar", "薬局");
  private static final List<String> SYSTEMS = List.of("iOS 19", "Android 17", "Linux", "Windows");

  /**
   * A kind of entity.
   *
   * @param population how many there are
   * @param integerKeys whether primary keys are integers
   */
  record Namespace(String name, int population, boolean integerKeys) {
    /** Returns the text of the primary key of the entity with a number from 0. */
    String key(int number) {
      return switch (name) {
        case "merchant" -> String.format(Locale.ROOT, "m:%04d", number);
        case "transaction" -> String.format(Locale.ROOT, "tx-%06d", number);
        case "device" -> Integer.toHexString(number * 0x9E3779B1);
        // Some integer keys are below zero.
        case "region" -> Integer.toString(number - 5);
        default -> Integer.toString(number);
      };
    }
  }

  /**
   * What a query computes in one namespace.
   *
   * @param maxRows it is about 1 to this many entities
   */
  record Shape(Namespace namespace, int maxRows, List<SampleFeature> features) {}

  /**
   * A query.
   *
   * @param share how often it is asked, relative to the others
   */
  record Query(String name, OperationKind kind, int share, List<Shape> shapes) {}

  private final Map<String, Namespace> namespaces = new LinkedHashMap<>();
  private final Map<String, SampleFeature> features = new LinkedHashMap<>();
  private final List<Query> queries = new ArrayList<>();

  SampleFeatures() {
    user();
    merchant();
    transaction();
    device();
    region();
    queries();
  }

  private void user() {
    namespaces.put("user", new Namespace("user", 20_000, true));
    kept("user.age", Column.Type.INT64, MONTH, (c, r, now) -> c.addInt64Values(r.nextInt(18, 99)));
    // On both sides of zero.
    kept(
        "user.balance_cents",
        Column.Type.INT64,
        HOURS,
        (c, r, now) -> c.addInt64Values(r.nextLong(-500_000, 5_000_000)));
    nullable(
        "user.credit_score",
        Column.Type.FLOAT64,
        DAY,
        CacheNulls.SKIP_NULLS,
        0.1,
        SampleValues::score);
    kept(
        "user.is_verified",
        Column.Type.BOOL,
        FOREVER,
        (c, r, now) -> c.addBoolValues(r.nextInt(10) > 0));
    nullable(
        "user.email_domain",
        Column.Type.STRING,
        FOREVER,
        CacheNulls.WRITE_NULLS,
        0.05,
        (c, r, now) -> c.addStringValues("mail-" + r.nextInt(500) + ".example"));
    nullable(
        "user.country",
        Column.Type.STRING,
        FOREVER,
        CacheNulls.CACHE_NULLS_UNSPECIFIED,
        0.02,
        (c, r, now) -> c.addStringValues(SampleValues.anyOf(COUNTRIES, r)));
    nullable(
        "user.fingerprint",
        Column.Type.BYTES,
        MONTH,
        CacheNulls.EVICT_NULLS,
        0.1,
        SampleValues::digest);
    kept("user.last_login_at", Column.Type.TIMESTAMP, DAY, SampleValues::recently);
    nullable(
        "user.born_on",
        Column.Type.DATE,
        FOREVER,
        CacheNulls.EVICT_NULLS,
        0.05,
        (c, r, now) -> c.addDateValues(r.nextInt(-15_000, 14_000)));
    kept("user.embedding", Column.Type.VECTOR, HOURS, (c, r, now) -> SampleValues.vector(c, r, 16));
    kept("user.recent_merchants", Column.Type.JSON, HOURS, SampleValues::recentMerchants);
    add(
        "user.support_notes",
        Column.Type.STRING,
        MONTH,
        CacheNulls.WRITE_NULLS,
        0.3,
        true,
        SampleValues::note);
    add(
        "user.debug_score",
        Column.Type.FLOAT64,
        NEVER,
        CacheNulls.WRITE_NULLS,
        0,
        false,
        SampleValues::score);
  }

  private void merchant() {
    namespaces.put("merchant", new Namespace("merchant", 800, false));
    kept(
        "merchant.name",
        Column.Type.STRING,
        FOREVER,
        (c, r, now) -> c.addStringValues("Merchant " + r.nextInt(1_000)));
    kept(
        "merchant.category",
        Column.Type.STRING,
        MONTH,
        (c, r, now) -> c.addStringValues(SampleValues.anyOf(CATEGORIES, r)));
    nullable(
        "merchant.rating",
        Column.Type.FLOAT64,
        MONTH,
        CacheNulls.WRITE_NULLS,
        0.1,
        SampleValues::score);
    nullable(
        "merchant.chargeback_rate",
        Column.Type.FLOAT64,
        DAY,
        CacheNulls.EVICT_NULLS,
        0.05,
        (c, r, now) -> c.addFloat64Values(r.nextInt(3) == 0 ? -0.0 : r.nextDouble() / 100));
    kept("merchant.opening_hours", Column.Type.JSON, MONTH, SampleValues::openingHours);
    kept(
        "merchant.onboarded_on",
        Column.Type.DATE,
        FOREVER,
        (c, r, now) -> c.addDateValues(r.nextInt(15_000, 20_000)));
    kept("merchant.logo_digest", Column.Type.BYTES, FOREVER, SampleValues::digest);
    kept(
        "merchant.embedding",
        Column.Type.VECTOR,
        FOREVER,
        (c, r, now) -> SampleValues.vector(c, r, 8));
  }

  private void transaction() {
    namespaces.put("transaction", new Namespace("transaction", 50_000, false));
    kept(
        "transaction.amount",
        Column.Type.FLOAT64,
        DAY,
        (c, r, now) -> c.addFloat64Values(r.nextInt(1, 100_000) / 100.0));
    kept(
        "transaction.currency",
        Column.Type.STRING,
        DAY,
        (c, r, now) -> c.addStringValues(SampleValues.anyOf(CURRENCIES, r)));
    nullable(
        "transaction.is_fraud",
        Column.Type.BOOL,
        MONTH,
        CacheNulls.SKIP_NULLS,
        0.5,
        (c, r, now) -> c.addBoolValues(r.nextInt(50) == 0));
    kept("transaction.created_at", Column.Type.TIMESTAMP, MONTH, SampleValues::recently);
    nullable(
        "transaction.risk",
        Column.Type.FLOAT64,
        HOURS,
        CacheNulls.WRITE_NULLS,
        0.02,
        SampleValues::score);
    nullable(
        "transaction.explanation",
        Column.Type.JSON,
        DAY,
        CacheNulls.WRITE_NULLS,
        0.2,
        (c, r, now) ->
            c.addJsonValues(
                "{\"velocity\":" + r.nextInt(20) + ",\"rules\":[\"r" + r.nextInt(9) + "\"]}"));
    add(
        "transaction.raw",
        Column.Type.BYTES,
        DAY,
        CacheNulls.WRITE_NULLS,
        0,
        true,
        SampleValues::digest);
  }

  private void device() {
    namespaces.put("device", new Namespace("device", 10_000, false));
    kept(
        "device.os",
        Column.Type.STRING,
        MONTH,
        (c, r, now) -> c.addStringValues(SampleValues.anyOf(SYSTEMS, r)));
    kept("device.last_seen_at", Column.Type.TIMESTAMP, HOURS, SampleValues::recently);
    nullable(
        "device.is_trusted",
        Column.Type.BOOL,
        MONTH,
        CacheNulls.EVICT_NULLS,
        0.2,
        (c, r, now) -> c.addBoolValues(r.nextBoolean()));
    kept("device.fingerprint", Column.Type.BYTES, FOREVER, SampleValues::digest);
  }

  private void region() {
    namespaces.put("region", new Namespace("region", 40, true));
    kept(
        "region.active_users",
        Column.Type.INT64,
        HOURS,
        (c, r, now) -> c.addInt64Values(r.nextInt(1_000_000)));
    kept(
        "region.centroid",
        Column.Type.VECTOR,
        FOREVER,
        (c, r, now) -> SampleValues.vector(c, r, 2));
  }

  private void queries() {
    query(
        "fraud_check",
        OperationKind.ONLINE_QUERY,
        40,
        shape(
            1,
            "user.credit_score",
            "user.is_verified",
            "user.balance_cents",
            "user.last_login_at",
            "user.country",
            "user.debug_score"),
        shape(1, "merchant.rating", "merchant.chargeback_rate", "merchant.category"),
        shape(
            1,
            "transaction.amount",
            "transaction.currency",
            "transaction.is_fraud",
            "transaction.created_at",
            "transaction.risk",
            "transaction.explanation",
            "transaction.raw"));
    query(
        "user_profile",
        OperationKind.ONLINE_QUERY,
        30,
        shape(
            1,
            "user.age",
            "user.email_domain",
            "user.born_on",
            "user.embedding",
            "user.recent_merchants",
            "user.fingerprint",
            "user.balance_cents",
            "user.support_notes"));
    query(
        "transaction_label",
        OperationKind.STREAM,
        10,
        shape(3, "transaction.is_fraud", "transaction.risk"));
    query(
        "device_seen",
        OperationKind.STREAM,
        12,
        shape(1, "device.last_seen_at", "device.os", "device.is_trusted", "device.fingerprint"));
    query(
        "merchant_refresh",
        OperationKind.SCHEDULED,
        4,
        shape(
            20,
            "merchant.name",
            "merchant.category",
            "merchant.rating",
            "merchant.opening_hours",
            "merchant.onboarded_on",
            "merchant.logo_digest",
            "merchant.embedding"));
    query(
        "region_stats",
        OperationKind.SCHEDULED,
        2,
        shape(8, "region.active_users", "region.centroid"));
  }

  private void kept(
      String feature, Column.Type type, long maxStaleness, SampleFeature.Values values) {
    nullable(feature, type, maxStaleness, CacheNulls.CACHE_NULLS_UNSPECIFIED, 0, values);
  }

  private void nullable(
      String feature,
      Column.Type type,
      long maxStaleness,
      CacheNulls nulls,
      double nullShare,
      SampleFeature.Values values) {
    add(feature, type, maxStaleness, nulls, nullShare, false, values);
  }

  private void add(
      String feature,
      Column.Type type,
      long maxStaleness,
      CacheNulls nulls,
      double nullShare,
      boolean skipOnline,
      SampleFeature.Values values) {
    int dot = feature.indexOf('.');
    features.put(
        feature,
        new SampleFeature(
            feature.substring(0, dot),
            feature.substring(dot + 1),
            type,
            maxStaleness,
            nulls,
            nullShare,
            skipOnline,
            values));
  }

  private Shape shape(int maxRows, String... names) {
    List<SampleFeature> chosen = new ArrayList<>();
    for (String name : names) {
      chosen.add(feature(name));
    }
    return new Shape(namespace(chosen.get(0).namespace()), maxRows, List.copyOf(chosen));
  }

  private void query(String name, OperationKind kind, int share, Shape... shapes) {
    queries.add(new Query(name, kind, share, List.of(shapes)));
  }

  /** Returns a feature by its fully qualified name. */
  SampleFeature feature(String name) {
    SampleFeature feature = features.get(name);
    if (feature == null) {
      throw new IllegalArgumentException("no feature is called " + name);
    }
    return feature;
  }

  /** Returns a namespace by its name. */
  Namespace namespace(String name) {
    Namespace namespace = namespaces.get(name);
    if (namespace == null) {
      throw new IllegalArgumentException("no namespace is called " + name);
    }
    return namespace;
  }

  /** Returns a query, the more often the greater its share is. */
  Query anyQuery(SplittableRandom random) {
    int total = 0;
    for (Query query : queries) {
      total += query.share();
    }
    int ticket = random.nextInt(total);
    for (Query query : queries) {
      ticket -= query.share();
      if (ticket < 0) {
        return query;
      }
    }
    throw new AssertionError("shares do not add up");
  }

  /** Returns a query by its name. */
  Query query(String name) {
    for (Query query : queries) {
      if (query.name().equals(name)) {
        return query;
      }
    }
    throw new IllegalArgumentException("no query is called " + name);
  }

  private static long micros(Duration duration) {
    return Micros.of(duration);
  }
}

package io.tailrace;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.GeneralCodingRules.ACCESS_STANDARD_STREAMS;

import com.tngtech.archunit.core.domain.Dependency;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.junit.ArchUnitRunner;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import org.apache.beam.sdk.transforms.DoFn;
import org.junit.runner.RunWith;

/**
 * Holds the floors of the house, from the ground: endpoint; bus and sql; stage; result; parquet,
 * online and metrics; offline; pipelines.
 */
@RunWith(ArchUnitRunner.class)
@AnalyzeClasses(packages = "io.tailrace", importOptions = DoNotIncludeTests.class)
public class ArchitectureTest {
  private static final String CONTRACT = "io.tailrace.v1..";
  private static final String RESULT = "io.tailrace.result..";
  private static final String BUS = "io.tailrace.bus..";
  private static final String STAGE = "io.tailrace.stage..";
  private static final String ENDPOINT = "io.tailrace.endpoint..";
  private static final String SQL = "io.tailrace.sql..";
  private static final String PARQUET = "io.tailrace.parquet..";
  private static final String ONLINE = "io.tailrace.online..";
  private static final String OFFLINE = "io.tailrace.offline..";
  private static final String STAGING = "io.tailrace.offline.staging..";
  private static final String WAREHOUSE = "io.tailrace.offline.warehouse..";
  private static final String BULK = "io.tailrace.offline.bulk..";
  private static final String METRICS = "io.tailrace.metrics..";
  private static final String PIPELINES = "io.tailrace.pipelines..";

  @ArchTest
  public static final ArchRule contractUsesNothingOfTheHouse =
      neverUse(CONTRACT, ENDPOINT, BUS, SQL, STAGE, RESULT, PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule endpointIsTheGround =
      neverUse(ENDPOINT, BUS, SQL, STAGE, RESULT, PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule busStandsOnEndpoint =
      neverUse(BUS, SQL, STAGE, RESULT, PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule sqlStandsOnEndpoint =
      neverUse(SQL, BUS, STAGE, RESULT, PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule stageStandsOnBus =
      neverUse(STAGE, SQL, RESULT, PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule resultStandsOnStage =
      neverUse(RESULT, SQL, PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule parquetStandsOnResult = neverUse(PARQUET, ONLINE, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule onlineStandsAlone = neverUse(ONLINE, PARQUET, METRICS, OFFLINE);

  @ArchTest
  public static final ArchRule metricsStandsAlone = neverUse(METRICS, PARQUET, ONLINE, OFFLINE);

  @ArchTest
  public static final ArchRule offlineStandsOnParquet = neverUse(OFFLINE, ONLINE, METRICS);

  @ArchTest
  public static final ArchRule nothingUsesPipelines =
      noClasses()
          .that()
          .resideOutsideOfPackage(PIPELINES)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(PIPELINES);

  /** Tools ask which stack runs on the machine; it asks nothing of them. */
  @ArchTest
  public static final ArchRule theLocalStackKnowsNoTools =
      noClasses()
          .that()
          .resideInAPackage("io.tailrace.pipelines.local..")
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage(
              "io.tailrace.pipelines.deadletter..", "io.tailrace.pipelines.tools..");

  @ArchTest
  public static final ArchRule transformsKnowNoRunner =
      noClasses()
          .that()
          .resideOutsideOfPackage(PIPELINES)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.beam.runners..", "org.apache.flink..");

  @ArchTest
  public static final ArchRule onlyBusesMapsUrisToBuses =
      usedOnlyByItselfAnd("io.tailrace.bus", "Buses");

  @ArchTest
  public static final ArchRule onlyOnlineStoresMapsUrisToOnlineStores =
      usedOnlyByItselfAnd("io.tailrace.online", "OnlineStores");

  @ArchTest
  public static final ArchRule onlyOfflineStoresMapsUrisToOfflineStores =
      usedOnlyByItselfAnd("io.tailrace.offline", "OfflineStores");

  @ArchTest
  public static final ArchRule onlyMetricsStoresMapsUrisToMetricsStores =
      usedOnlyByItselfAnd("io.tailrace.metrics", "MetricsStores");

  @ArchTest
  public static final ArchRule namesSayWhatAClassIs =
      noClasses()
          .should()
          .haveNameMatching(".*(Utils?|Helper|Manager|Processor)(\\$.*)?")
          .because("such a name does not say what a class is for");

  @ArchTest
  public static final ArchRule doFnsCaptureNothing =
      classes()
          .that()
          .areAssignableTo(DoFn.class)
          .should(
              new ArchCondition<>("be top-level or static") {
                @Override
                public void check(JavaClass doFn, ConditionEvents events) {
                  events.add(
                      new SimpleConditionEvent(
                          doFn, !doFn.isInnerClass(), doFn.getFullName() + " is an inner class"));
                }
              })
          .because("an inner class is serialized together with whatever surrounds it")
          .allowEmptyShould(true);

  @ArchTest
  public static final ArchRule transformsDoNotPrint =
      noClasses().that().resideOutsideOfPackage(PIPELINES).should(ACCESS_STANDARD_STREAMS);

  @ArchTest
  public static final ArchRule nothingUsesWhatBeamVendors =
      noClasses()
          .should()
          .dependOnClassesThat()
          .resideInAPackage("org.apache.beam.vendor..")
          .because("the next version of Beam vendors it under another name");

  private static ArchRule neverUse(String floor, String... others) {
    return noClasses()
        .that()
        .resideInAPackage(floor)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(others)
        .allowEmptyShould(true);
  }

  /** A kind is one folder, and one line in the class that maps URIs to kinds. */
  private static ArchRule usedOnlyByItselfAnd(String floor, String stores) {
    String mapping = floor + "." + stores;
    return classes()
        .that()
        .resideInAPackage(floor + ".*..")
        .and()
        .resideOutsideOfPackages(STAGING, WAREHOUSE, BULK)
        .should(
            new ArchCondition<>("be used only by their own store and by " + stores) {
              @Override
              public void check(JavaClass inStore, ConditionEvents events) {
                String store = store(inStore);
                for (Dependency use : inStore.getDirectDependenciesToSelf()) {
                  JavaClass user = use.getOriginClass();
                  boolean allowed =
                      store(user).equals(store)
                          || user.getName().equals(mapping)
                          || user.getName().startsWith(mapping + "$");
                  events.add(new SimpleConditionEvent(use, allowed, use.getDescription()));
                }
              }

              private String store(JavaClass in) {
                String name = in.getPackageName();
                if (!name.startsWith(floor + ".")) {
                  return "";
                }
                int end = name.indexOf('.', floor.length() + 1);
                return end < 0 ? name : name.substring(0, end);
              }
            })
        .allowEmptyShould(true);
  }
}

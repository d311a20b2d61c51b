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
 * Holds the floors of the house: pipelines stand on online, offline and metrics; those stand on
 * result, bus, failure and database; those stand on the contract.
 *
 * <p>A rule about a floor that has no class yet is allowed to be empty.
 */
@RunWith(ArchUnitRunner.class)
@AnalyzeClasses(packages = "io.tailrace", importOptions = DoNotIncludeTests.class)
public class ArchitectureTest {
  private static final String CONTRACT = "io.tailrace.v1..";
  private static final String RESULT = "io.tailrace.result..";
  private static final String BUS = "io.tailrace.bus..";
  private static final String FAILURE = "io.tailrace.failure..";
  private static final String URI = "io.tailrace.uri..";
  private static final String DATABASE = "io.tailrace.database..";
  private static final String ONLINE = "io.tailrace.online..";
  private static final String OFFLINE = "io.tailrace.offline..";
  private static final String METRICS = "io.tailrace.metrics..";
  private static final String PIPELINES = "io.tailrace.pipelines..";

  @ArchTest public static final ArchRule onlineStandsAlone = neverUse(ONLINE, OFFLINE, METRICS);

  @ArchTest public static final ArchRule offlineStandsAlone = neverUse(OFFLINE, ONLINE, METRICS);

  @ArchTest public static final ArchRule metricsStandsAlone = neverUse(METRICS, ONLINE, OFFLINE);

  @ArchTest
  public static final ArchRule resultUsesNoFloorAbove = neverUse(RESULT, ONLINE, OFFLINE, METRICS);

  @ArchTest
  public static final ArchRule busUsesNoFloorAbove = neverUse(BUS, ONLINE, OFFLINE, METRICS);

  @ArchTest
  public static final ArchRule failureUsesNoFloorAbove =
      neverUse(FAILURE, ONLINE, OFFLINE, METRICS);

  @ArchTest
  public static final ArchRule uriUsesNoFloorAbove = neverUse(URI, ONLINE, OFFLINE, METRICS);

  @ArchTest
  public static final ArchRule databaseUsesNoFloorAbove =
      neverUse(DATABASE, ONLINE, OFFLINE, METRICS, RESULT, BUS, FAILURE);

  @ArchTest
  public static final ArchRule contractUsesNothingOfTheHouse =
      neverUse(CONTRACT, RESULT, BUS, FAILURE, URI, DATABASE, ONLINE, OFFLINE, METRICS);

  @ArchTest
  public static final ArchRule nothingUsesPipelines =
      noClasses()
          .that()
          .resideOutsideOfPackage(PIPELINES)
          .should()
          .dependOnClassesThat()
          .resideInAPackage(PIPELINES);

  @ArchTest
  public static final ArchRule transformsKnowNoRunner =
      noClasses()
          .that()
          .resideOutsideOfPackage(PIPELINES)
          .should()
          .dependOnClassesThat()
          .resideInAnyPackage("org.apache.beam.runners..", "org.apache.flink..");

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

  /** A store is one folder, and one line in the class that maps URIs to stores. */
  private static ArchRule usedOnlyByItselfAnd(String floor, String stores) {
    String mapping = floor + "." + stores;
    return classes()
        .that()
        .resideInAPackage(floor + ".*..")
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

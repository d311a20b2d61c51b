package io.tailrace;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import io.tailrace.bus.ReadCounters;
import io.tailrace.bus.ReadCounters.ReadCounter;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.stage.StageCounters;
import io.tailrace.stage.StageCounters.Count;
import java.lang.reflect.Constructor;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.metrics.Metrics;
import org.junit.BeforeClass;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * {@code docs/metrics.md} lists every counter under its stage, and no other, in the words of its
 * declaration. Which there are, each subclass of {@link StageCounters} is asked.
 */
@RunWith(JUnit4.class)
public class MetricsDocumentTest {
  private static JavaClasses classes;

  @BeforeClass
  public static void importClasses() {
    classes =
        new ClassFileImporter()
            .withImportOption(new DoNotIncludeTests())
            .importPackages("io.tailrace");
  }

  @Test
  public void everyCounterIsDocumentedUnderItsStageAndEveryDocumentedOneExists() throws Exception {
    Map<String, List<String>> documented = new TreeMap<>();
    DocumentedCounters.read().forEach((name, stage) -> documented.put(name, stage.rows()));
    Map<String, List<String>> declared = declared();

    assertThat(documented.keySet()).containsExactlyElementsIn(declared.keySet());
    declared.forEach(
        (stage, rows) ->
            assertWithMessage("counters of " + stage)
                .that(documented.get(stage))
                .containsExactlyElementsIn(rows));
  }

  @Test
  public void everyStageNamesItsWriters() throws Exception {
    DocumentedCounters.read()
        .values()
        .forEach(stage -> assertWithMessage(stage.name()).that(stage.writers()).isNotEmpty());
  }

  @Test
  public void nothingIsCountedButAsDeclared() {
    noClasses()
        .that()
        .areNotAssignableTo(StageCounters.class)
        .and()
        .areNotAssignableTo(Count.class)
        .and()
        .areNotAssignableTo(FreshnessCounters.class)
        .and()
        .areNotAssignableTo(ReadCounter.class)
        .should()
        .dependOnClassesThat()
        .areAssignableTo(Metrics.class)
        .because("the document is held to what is declared, and only counters reach every runner")
        .check(classes);
  }

  /** Returns rows as they stand in the document, by stage. */
  private static Map<String, List<String>> declared() throws ReflectiveOperationException {
    Map<String, List<String>> rows = new TreeMap<>();
    rows.put(
        ReadCounters.STAGE,
        new ArrayList<>(
            ReadCounters.ALL.stream()
                .map(each -> DocumentedCounters.row(each.name(), each.unit(), each.counts()))
                .toList()));
    for (JavaClass each : classes) {
      if (!each.isAssignableTo(StageCounters.class)
          || each.getModifiers().contains(JavaModifier.ABSTRACT)) {
        continue;
      }
      Constructor<?> constructor = each.reflect().getDeclaredConstructor();
      constructor.setAccessible(true);
      StageCounters counters = (StageCounters) constructor.newInstance();
      List<String> ofStage = rows.computeIfAbsent(counters.stage(), unused -> new ArrayList<>());
      for (Count count : counters.counts()) {
        ofStage.add(DocumentedCounters.row(count.name(), count.unit(), count.counts()));
      }
      if (counters.hasFreshness()) {
        ofStage.add(DocumentedCounters.FRESHNESS);
      }
    }
    return rows;
  }
}

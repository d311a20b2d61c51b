package io.tailrace;

import static com.google.common.truth.Truth.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption.DoNotIncludeTests;
import io.tailrace.testing.FrozenBytes;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.beam.sdk.coders.Coder;
import org.apache.beam.sdk.io.UnboundedSource;
import org.junit.Test;

/**
 * {@code CONTRIBUTING.md} lists what is part of every savepoint: whoever changes a coder, a mark, a
 * source or the name of a step changes that list, and knows what it means.
 */
public class SavepointsTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(new DoNotIncludeTests())
          .importPackages("io.tailrace");
  private static final Pattern STEP =
      Pattern.compile("(?:\\.apply\\(|Outputs\\.of\\(\\s*\\w+,)\\s*\"(\\w+)\"");
  private static final Pattern FROZEN =
      Pattern.compile("FrozenBytes\\.of\\(\\s*\"([^\"]+)\",\\s*\"([^\"]+)\"\\s*\\)");
  private static final Pattern JAVADOC = Pattern.compile("(?m)^ *\\*.*$");

  @Test
  public void everyCoderIsListed() throws Exception {
    assertThat(listed("coders").keySet()).containsExactlyElementsIn(concrete(Coder.class));
  }

  @Test
  public void everySourceAndMarkIsListed() throws Exception {
    Set<String> found = concrete(UnboundedSource.class);
    found.addAll(concrete(UnboundedSource.CheckpointMark.class));

    assertThat(listed("sources and marks").keySet()).containsExactlyElementsIn(found);
  }

  @Test
  public void everyStepIsListed() throws Exception {
    Map<String, Set<String>> found = new TreeMap<>();
    try (Stream<Path> library = Files.walk(Path.of("transforms/java"));
        Stream<Path> writers = Files.list(Path.of("pipelines/java/io/tailrace/pipelines"))) {
      for (Path file :
          Stream.concat(library, writers).filter(it -> it.toString().endsWith(".java")).toList()) {
        Matcher step = STEP.matcher(JAVADOC.matcher(Files.readString(file)).replaceAll(""));
        while (step.find()) {
          found
              .computeIfAbsent(
                  file.getFileName().toString().replace(".java", ""), any -> new TreeSet<>())
              .add(step.group(1));
        }
      }
    }

    assertThat(listed("steps of")).isEqualTo(found);
  }

  @Test
  public void theBytesOfEveryListedCoderAreFrozen() throws Exception {
    List<String> demanded = new ArrayList<>();
    for (String coder : listed("coders").keySet()) {
      demanded.add(coder + " full");
      demanded.add(coder + " empty");
    }

    assertThat(FrozenBytes.all().keySet()).containsAtLeastElementsIn(demanded);
  }

  @Test
  public void everyFrozenValueIsReadByATestAndNoOther() throws Exception {
    Set<String> read = new TreeSet<>();
    try (Stream<Path> tests = Files.walk(Path.of("src/test/java"))) {
      for (Path file : tests.filter(it -> it.toString().endsWith("Test.java")).toList()) {
        Matcher frozen = FROZEN.matcher(Files.readString(file));
        while (frozen.find()) {
          read.add(frozen.group(1) + " " + frozen.group(2));
        }
      }
    }

    assertThat(FrozenBytes.all().keySet()).containsExactlyElementsIn(read);
  }

  private static Set<String> concrete(Class<?> type) {
    Set<String> names = new TreeSet<>();
    for (JavaClass each : CLASSES) {
      if (each.isAssignableTo(type) && !each.getModifiers().contains(JavaModifier.ABSTRACT)) {
        names.add(each.getName().replaceFirst(".*\\.", "").replace('$', '.'));
      }
    }
    return names;
  }

  /** Returns the rows of a table: the name in the first column, and those in the second. */
  private static Map<String, Set<String>> listed(String heading) throws IOException {
    Map<String, Set<String>> rows = new TreeMap<>();
    boolean inside = false;
    for (String line : Files.readAllLines(Path.of("CONTRIBUTING.md"))) {
      if (line.startsWith("| " + heading + " |")) {
        inside = true;
      } else if (!line.startsWith("|")) {
        inside = false;
      } else if (inside && !line.startsWith("|---")) {
        String[] cells = line.split("\\|", -1);
        rows.put(names(cells[1]).iterator().next(), names(cells[2]));
      }
    }
    return rows;
  }

  private static Set<String> names(String cell) {
    Set<String> names = new TreeSet<>();
    Matcher name = Pattern.compile("`([^`]+)`").matcher(cell);
    while (name.find()) {
      names.add(name.group(1));
    }
    return names;
  }
}

package io.tailrace;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static com.tngtech.archunit.thirdparty.org.objectweb.asm.Opcodes.ASM9;

import com.tngtech.archunit.thirdparty.org.objectweb.asm.ClassReader;
import com.tngtech.archunit.thirdparty.org.objectweb.asm.ClassVisitor;
import com.tngtech.archunit.thirdparty.org.objectweb.asm.MethodVisitor;
import io.tailrace.stage.DeadLetters;
import io.tailrace.stage.FreshnessCounters;
import io.tailrace.v1.DeadLetter.Reason;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.beam.sdk.metrics.Metrics;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/**
 * {@code docs/metrics.md} lists every counter under its stage, and no other. Which there are, the
 * compiled classes say, wherever in them they are declared.
 */
@RunWith(JUnit4.class)
public class MetricsDocumentTest {
  private static final String METRICS = internal(Metrics.class);
  private static final String FRESHNESS = internal(FreshnessCounters.class);

  /** Whose names are made of a list, which is looked at instead. */
  private static final List<String> LISTED = List.of(FRESHNESS, internal(DeadLetters.class));

  @Test
  public void everyCounterIsDocumentedUnderItsStageAndEveryDocumentedOneExists() throws Exception {
    Map<String, Set<String>> documented = new TreeMap<>();
    DocumentedCounters.read().forEach((name, stage) -> documented.put(name, stage.counters()));
    Map<String, Set<String>> declared = declared();

    assertThat(documented.keySet()).containsExactlyElementsIn(declared.keySet());
    declared.forEach(
        (stage, counters) ->
            assertWithMessage("counters of " + stage)
                .that(documented.get(stage))
                .containsExactlyElementsIn(counters));
  }

  @Test
  public void everyStageNamesItsWriters() throws Exception {
    DocumentedCounters.read()
        .values()
        .forEach(stage -> assertWithMessage(stage.name()).that(stage.writers()).isNotEmpty());
  }

  private static Map<String, Set<String>> declared() throws IOException {
    Map<String, Set<String>> counters = new TreeMap<>();
    List<Path> classes;
    try (Stream<Path> files = Files.walk(Path.of("target", "classes", "io", "tailrace"))) {
      classes = files.filter(file -> file.toString().endsWith(".class")).toList();
    }
    for (Path file : classes) {
      new ClassReader(Files.readAllBytes(file)).accept(new Declarations(counters), 0);
    }
    for (Reason reason : Reason.values()) {
      if (reason != Reason.UNRECOGNIZED) {
        counters
            .computeIfAbsent(DeadLetters.STAGE, unused -> new TreeSet<>())
            .add(DeadLetters.counter(reason));
      }
    }
    return counters;
  }

  private static String internal(Class<?> type) {
    return type.getName().replace('.', '/');
  }

  /** Finds where metrics are declared, and the constants that stand before that. */
  private static final class Declarations extends ClassVisitor {
    private final Map<String, Set<String>> counters;
    private String visited = "";

    Declarations(Map<String, Set<String>> counters) {
      super(ASM9);
      this.counters = counters;
    }

    @Override
    public void visit(
        int version, int access, String name, String sign, String superName, String[] interfaces) {
      visited = name;
    }

    @Override
    public MethodVisitor visitMethod(
        int access, String name, String descriptor, String signature, String[] exceptions) {
      return new MethodVisitor(ASM9) {
        private final Deque<String> constants = new ArrayDeque<>();

        @Override
        public void visitLdcInsn(Object value) {
          if (value instanceof String text) {
            constants.addLast(text);
          }
        }

        @Override
        public void visitMethodInsn(
            int opcode, String owner, String method, String descriptor, boolean isInterface) {
          if (owner.equals(FRESHNESS) && method.equals("<init>")) {
            declare(last(1).get(0), FreshnessCounters.names());
          } else if (owner.equals(METRICS)) {
            assertWithMessage("%s: Beam's other metrics do not reach every runner", visited)
                .that(method)
                .isEqualTo("counter");
            if (constants.size() < 2) {
              assertWithMessage("whose counters have names that are not constants")
                  .that(LISTED)
                  .contains(visited.replaceFirst("\\$.*", ""));
            } else {
              List<String> names = last(2);
              declare(names.get(0), List.of(names.get(1)));
            }
          }
          constants.clear();
        }

        @Override
        public void visitFieldInsn(int opcode, String owner, String field, String descriptor) {
          constants.clear();
        }

        private List<String> last(int count) {
          assertWithMessage("constants in %s", visited).that(constants.size()).isAtLeast(count);
          List<String> all = new ArrayList<>(constants);
          return all.subList(all.size() - count, all.size());
        }

        private void declare(String stage, List<String> names) {
          for (String each : names) {
            assertWithMessage("%s of %s is declared twice", each, stage)
                .that(counters.computeIfAbsent(stage, unused -> new TreeSet<>()).add(each))
                .isTrue();
          }
        }
      };
    }
  }
}

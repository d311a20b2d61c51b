package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;
import static org.quicktheories.QuickTheory.qt;
import static org.quicktheories.generators.SourceDSL.longs;

import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessSpec;
import org.apache.flink.runtime.clusterframework.TaskExecutorProcessUtils;
import org.junit.Test;

/** Whatever a container has is divided without a rest, and Flink divides it in the same way. */
public class ContainerMemoryTest {
  @Test
  public void flinkStartsAJvmWithTheseSizes() {
    qt().withExamples(100)
        .forAll(longs().between(ContainerMemory.LEAST.mebibytes(), 64 * 1024))
        .checkAssert(
            mebibytes -> {
              ContainerMemory memory = ContainerMemory.of(Quantity.bytes(mebibytes + "Mi"));
              Configuration settings = Configuration.fromMap(memory.flink());
              settings.set(
                  TaskManagerOptions.TOTAL_PROCESS_MEMORY, MemorySize.ofMebiBytes(mebibytes));
              settings.set(TaskManagerOptions.NUM_TASK_SLOTS, 2);

              TaskExecutorProcessSpec spec =
                  TaskExecutorProcessUtils.processSpecFromConfig(settings);

              assertThat(memory.total()).isEqualTo(mebibytes);
              assertThat(spec.getJvmHeapMemorySize())
                  .isEqualTo(MemorySize.ofMebiBytes(memory.heap()));
              assertThat(spec.getJvmMetaspaceSize())
                  .isEqualTo(MemorySize.ofMebiBytes(memory.metaspace()));
              assertThat(spec.getJvmOverheadSize())
                  .isEqualTo(MemorySize.ofMebiBytes(memory.overhead()));
              assertThat(spec.getJvmDirectMemorySize())
                  .isEqualTo(MemorySize.ofMebiBytes(memory.direct() + memory.network()));
              assertThat(spec.getTotalProcessMemorySize())
                  .isEqualTo(MemorySize.ofMebiBytes(mebibytes));
            });
  }

  @Test
  public void theLeastLeavesAHeapThatAMessageFitsInto() {
    assertThat(ContainerMemory.of(ContainerMemory.LEAST).heap()).isEqualTo(256);
    assertThat(
            assertThrows(
                IllegalArgumentException.class, () -> ContainerMemory.of(Quantity.bytes("512Mi"))))
        .hasMessageThat()
        .isEqualTo("512Mi are less than the 896Mi that a JVM needs here");
  }

  @Test
  public void amountsAreReadAsKubernetesWritesThem() {
    assertThat(Quantity.bytes("1Gi").mebibytes()).isEqualTo(1024);
    assertThat(Quantity.bytes("1.5Gi").mebibytes()).isEqualTo(1536);
    assertThat(Quantity.bytes("1073741824").mebibytes()).isEqualTo(1024);
    assertThat(Quantity.bytes("2G").mebibytes()).isEqualTo(1907);
    assertThat(Quantity.processors("250m").number()).isEqualTo(0.25);
    assertThat(Quantity.processors("2").number()).isEqualTo(2.0);
    for (String wrong : new String[] {"1gb", "-1Gi", "500m", "", "1 Gi", "1e3"}) {
      assertThat(assertThrows(IllegalArgumentException.class, () -> Quantity.bytes(wrong)))
          .hasMessageThat()
          .contains("write 1536Mi or 2Gi");
    }
  }
}

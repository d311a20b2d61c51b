package io.tailrace.pipelines.deploy;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.ConfigOption;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.HighAvailabilityOptions;
import org.apache.flink.configuration.JobManagerOptions;
import org.apache.flink.configuration.MetricOptions;
import org.apache.flink.configuration.RestOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.runtime.executiongraph.failover.ExponentialDelayRestartBackoffTimeStrategy;
import org.apache.flink.streaming.api.environment.ExecutionCheckpointingOptions;
import org.junit.Test;

/** What a cluster is configured with is what this version of Flink knows, and can parse. */
public class FlinkSettingsTest {
  private static final List<Class<?>> OPTIONS =
      List.of(
          CheckpointingOptions.class,
          CoreOptions.class,
          ExecutionCheckpointingOptions.class,
          HighAvailabilityOptions.class,
          JobManagerOptions.class,
          MetricOptions.class,
          RestOptions.class,
          RestartStrategyOptions.class,
          StateBackendOptions.class,
          TaskManagerOptions.class);

  /** Of Flink's operator and its clusters in Kubernetes, and of a reporter, by any name. */
  private static final String OTHERS = "(kubernetes|metrics\\.reporter\\.prom)\\..*";

  @Test
  public void everySettingIsOneOfFlinksAndOfItsType() throws Exception {
    Map<String, ConfigOption<?>> known = known();
    for (Configuration settings : configurations()) {
      for (String key : settings.keySet()) {
        if (!key.matches(OTHERS)) {
          assertWithMessage(key).that(known).containsKey(key);
          assertThat(settings.getOptional(known.get(key))).isPresent();
        }
      }
    }
  }

  @Test
  public void aSettingThatFlinkCannotParseIsFound() throws Exception {
    Configuration settings = new Configuration();
    settings.setString(
        "restart-strategy.exponential-delay.attempts-before-reset-backoff", "infinite");

    assertThrows(
        IllegalArgumentException.class,
        () ->
            settings.getOptional(
                known().get("restart-strategy.exponential-delay.attempts-before-reset-backoff")));
  }

  @Test
  public void aJobIsRestartedWithoutEnd() throws Exception {
    for (Configuration settings : configurations()) {
      assertThat(settings.get(RestartStrategyOptions.RESTART_STRATEGY))
          .isEqualTo("exponential-delay");
      var strategy = ExponentialDelayRestartBackoffTimeStrategy.createFactory(settings).create();
      for (int i = 0; i < 10_000; i++) {
        strategy.notifyFailure(new IllegalStateException("a store is down"));
      }
      assertThat(strategy.canRestart()).isTrue();
    }
  }

  private static List<Configuration> configurations() throws Exception {
    List<Configuration> all = new ArrayList<>();
    for (String overlay : KubernetesTemplates.OVERLAYS) {
      Deployment deployment = KubernetesTemplates.deployment(overlay);
      new Manifests(deployment.shared())
          .all(deployment.writers()).stream()
              .filter(it -> it.path("kind").asText().equals(FlinkCluster.KIND))
              .forEach(
                  cluster -> {
                    Map<String, String> settings = new TreeMap<>();
                    cluster
                        .at("/spec/flinkConfiguration")
                        .fields()
                        .forEachRemaining(
                            each -> settings.put(each.getKey(), each.getValue().asText()));
                    all.add(Configuration.fromMap(settings));
                  });
    }
    assertThat(all).isNotEmpty();
    return all;
  }

  private static Map<String, ConfigOption<?>> known() throws IllegalAccessException {
    Map<String, ConfigOption<?>> known = new TreeMap<>();
    for (Class<?> each : OPTIONS) {
      for (Field field : each.getFields()) {
        if (Modifier.isStatic(field.getModifiers())
            && ConfigOption.class.isAssignableFrom(field.getType())) {
          ConfigOption<?> option = (ConfigOption<?>) field.get(null);
          known.put(option.key(), option);
        }
      }
    }
    return known;
  }
}

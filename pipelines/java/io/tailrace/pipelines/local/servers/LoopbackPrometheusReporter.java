package io.tailrace.pipelines.local.servers;

import io.prometheus.client.CollectorRegistry;
import io.prometheus.client.exporter.HTTPServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.reflect.Field;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.Properties;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.prometheus.AbstractPrometheusReporter;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/**
 * Flink's Prometheus reporter for a cluster that nobody else is to see: what it shows is Flink's,
 * at the address {@code http://127.0.0.1:PORT/metrics} only. Flink's own server listens on every
 * address of the machine.
 *
 * <p>Its setting {@code port} is the port. Thread-safe.
 */
public final class LoopbackPrometheusReporter extends AbstractPrometheusReporter {
  private final HTTPServer server;

  private LoopbackPrometheusReporter(int port) {
    try {
      server =
          new HTTPServer(
              new InetSocketAddress(InetAddress.getLoopbackAddress(), port),
              registry(this),
              /* daemon= */ true);
    } catch (IOException e) {
      throw new UncheckedIOException("Metrics can't be served on port " + port, e);
    }
  }

  /** What Flink keeps for its own subclasses; there is no other way to what it has collected. */
  private static CollectorRegistry registry(AbstractPrometheusReporter reporter) {
    try {
      Field field = AbstractPrometheusReporter.class.getDeclaredField("registry");
      field.setAccessible(true);
      return (CollectorRegistry) field.get(reporter);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("Flink's Prometheus reporter is of another version", e);
    }
  }

  @Override
  public void close() {
    server.stop();
    super.close();
  }

  /** Makes the reporter when a cluster's configuration names this class. */
  public static final class Factory implements MetricReporterFactory {
    @Override
    public MetricReporter createMetricReporter(Properties properties) {
      return new LoopbackPrometheusReporter(((MetricConfig) properties).getInteger("port", 0));
    }
  }
}

package io.tailrace.bus.kafka;

import static java.util.Objects.requireNonNull;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.endpoint.EndpointUri;
import java.util.List;
import org.apache.beam.sdk.io.UnboundedSource.UnboundedReader;
import org.apache.beam.sdk.options.PipelineOptionsFactory;

/**
 * A program that reads a topic in a JVM of its own, and prints how many messages and how many bytes
 * of payloads and headers came.
 */
public final class SmallHeapReader {
  private SmallHeapReader() {}

  /**
   * Reads.
   *
   * @param args the bus, and how many messages to wait for
   */
  public static void main(String[] args) throws Exception {
    int wanted = Integer.parseInt(args[1]);
    int count = 0;
    long bytes = 0;
    long most = 0;
    int batches = 0;
    try (UnboundedReader<List<BusMessage>> reader =
        new KafkaSource(KafkaBus.at(EndpointUri.parse(args[0])), "group", "name")
            .createReader(PipelineOptionsFactory.create(), null)) {
      boolean any = reader.start();
      while (count < wanted) {
        if (any) {
          long atOnce = 0;
          for (BusMessage message : reader.getCurrent()) {
            count++;
            atOnce += message.payload().length;
            for (Header header : message.headers().all()) {
              atOnce += requireNonNull(header.value()).length;
            }
          }
          bytes += atOnce;
          most = Math.max(most, atOnce);
          batches++;
        }
        any = reader.advance();
      }
    }
    System.out.println(
        "messages=" + count + " bytes=" + bytes + " most=" + most + " batches=" + batches);
  }
}

package io.tailrace.bus.directory;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.PresentBuses;
import org.apache.beam.sdk.io.Read;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;

/** Reads a directory. */
final class ReadDirectory extends PTransform<PBegin, PCollection<BusMessage>> {
  private static final long serialVersionUID = 1;

  private final DirectoryBus bus;
  private final String group;

  ReadDirectory(DirectoryBus bus, String group) {
    this.bus = bus;
    this.group = group;
  }

  @Override
  public PCollection<BusMessage> expand(PBegin begin) {
    String present = PresentBuses.enter(begin.getPipeline().getOptions(), group, bus);
    return begin.apply("Read", Read.from(new DirectorySource(bus, group, present)));
  }
}

package io.tailrace.bus.directory;

import io.tailrace.bus.OutgoingMessage;
import java.io.IOException;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PDone;

/** Publishes to a directory. */
final class WriteDirectory extends PTransform<PCollection<OutgoingMessage>, PDone> {
  private static final long serialVersionUID = 1;

  private final DirectoryBus bus;

  WriteDirectory(DirectoryBus bus) {
    this.bus = bus;
  }

  @Override
  public PDone expand(PCollection<OutgoingMessage> messages) {
    messages.apply("Append", ParDo.of(new AppendFn(bus)));
    return PDone.in(messages.getPipeline());
  }

  private static final class AppendFn extends DoFn<OutgoingMessage, Void> {
    private static final long serialVersionUID = 1;

    private final DirectoryBus bus;

    AppendFn(DirectoryBus bus) {
      this.bus = bus;
    }

    @ProcessElement
    public void append(@Element OutgoingMessage message) throws IOException {
      bus.files().append(message);
    }
  }
}

package io.tailrace.bus.directory;

import io.tailrace.bus.Bus;
import io.tailrace.endpoint.AddedKind;
import io.tailrace.endpoint.Kinds.Kind;

/** Adds the bus of directories. */
public final class DirectoryKind implements AddedKind<Bus> {
  @Override
  public Class<Bus> sort() {
    return Bus.class;
  }

  @Override
  public Kind<Bus> kind() {
    return Kind.of("dir", DirectoryBus.EXAMPLE, DirectoryBus::at);
  }
}

package io.tailrace.parquet;

import java.io.ByteArrayInputStream;
import shaded.parquet.org.apache.thrift.TConfiguration;
import shaded.parquet.org.apache.thrift.TException;
import shaded.parquet.org.apache.thrift.protocol.TCompactProtocol;
import shaded.parquet.org.apache.thrift.protocol.TList;
import shaded.parquet.org.apache.thrift.protocol.TMap;
import shaded.parquet.org.apache.thrift.protocol.TSet;
import shaded.parquet.org.apache.thrift.transport.TIOStreamTransport;

/**
 * Reads Thrift's compact protocol from bytes that somebody else wrote. Thrift reserves room for as
 * many elements as a list says it has. Here it can't say more than there are bytes left, as each
 * takes one at least. Not thread-safe.
 */
final class BoundedThrift extends TCompactProtocol {
  static final int MAX_DEPTH = 32;

  private final ByteArrayInputStream in;

  BoundedThrift(ByteArrayInputStream in, int length) throws TException {
    super(new TIOStreamTransport(new TConfiguration(length, length, MAX_DEPTH), in));
    this.in = in;
  }

  @Override
  public TList readListBegin() throws TException {
    TList list = super.readListBegin();
    check(list.size);
    return list;
  }

  @Override
  public TSet readSetBegin() throws TException {
    TSet set = super.readSetBegin();
    check(set.size);
    return set;
  }

  @Override
  public TMap readMapBegin() throws TException {
    TMap map = super.readMapBegin();
    check(map.size);
    return map;
  }

  private void check(int size) throws TException {
    if (size < 0 || size > in.available()) {
      throw new TException("a list says it has " + size + " elements");
    }
  }
}

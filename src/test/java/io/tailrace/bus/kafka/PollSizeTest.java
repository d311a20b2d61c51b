package io.tailrace.bus.kafka;

import static com.google.common.truth.Truth.assertThat;
import static java.nio.charset.StandardCharsets.UTF_8;

import io.tailrace.bus.BusMessage;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.junit.Test;

/** What of a poll counts against its bound, and when polls bring fewer records. */
public class PollSizeTest {
  private static final int MANY = KafkaConsumers.POLL_RECORDS;
  private static final int FEWER = 100;
  private static final long TOO_MUCH = 20L << 20;

  private final PollSize size = new PollSize();
  private final BoundedPoll bounded = new BoundedPoll(1_000);

  @Test
  public void aPollThatWasTooMuchAlthoughNobodyWasAskedIsFollowedBySmallerOnes() {
    assertThat(poll(MANY, TOO_MUCH)).isTrue();

    assertThat(size.isFull(FEWER)).isTrue();
  }

  @Test
  public void oneRecordThatIsTooMuchComesAlone() {
    assertThat(poll(1, TOO_MUCH)).isFalse();
    assertThat(size.isFull(FEWER)).isFalse();
  }

  @Test
  public void whatAPollHasBroughtIsForgottenWithTheNext() {
    boolean unused = poll(MANY, TOO_MUCH);

    assertThat(poll(FEWER, 1_000)).isFalse();
  }

  @Test
  public void theHeadersOfARecordCountLikeItsValue() {
    bounded.begin();
    assertThat(isTaken(new RecordHeaders().add("h", new byte[500]), 0)).isTrue();
    assertThat(isTaken(new RecordHeaders().add("h", new byte[500]), 0)).isFalse();
  }

  @Test
  public void headersOfAlmostNoBytesCountByWhatTheyTakeInMemory() {
    RecordHeaders many = new RecordHeaders();
    for (int i = 0; i < 8; i++) {
      many.add("", null);
    }
    bounded.begin();
    assertThat(isTaken(many, 1)).isTrue();
    assertThat(isTaken(new RecordHeaders(), 1)).isFalse();
  }

  @Test
  public void aPollCountsARecordAsItsReaderDoes() {
    byte[] key = {1, 2};
    byte[] value = {3};
    RecordHeaders headers = new RecordHeaders();
    headers.add("name", "value".getBytes(UTF_8)).add("ü", null);
    ConsumerRecord<byte[], byte[]> record =
        new ConsumerRecord<>(
            "t",
            0,
            0,
            0,
            TimestampType.CREATE_TIME,
            key.length,
            value.length,
            key,
            value,
            headers,
            Optional.empty());
    long held = KafkaRecords.message(record, "").heldBytes();
    BoundedPoll exact = new BoundedPoll(2 * held);
    BoundedPoll less = new BoundedPoll(2 * held - 1);

    for (BoundedPoll each : new BoundedPoll[] {exact, less}) {
      each.begin();
      for (int i = 0; i < 2; i++) {
        RecordHeaders own = new RecordHeaders(headers.toArray());
        byte[] unusedKey = each.deserialize("t", own, ByteBuffer.wrap(key));
        byte[] unusedValue = each.deserialize("t", own, ByteBuffer.wrap(value));
      }
    }
    assertThat(exact.hasDropped()).isFalse();
    assertThat(less.hasDropped()).isTrue();
    assertThat(held).isAtLeast(BusMessage.OVERHEAD + 3L + 4 + 5 + 1);
  }

  private boolean poll(int records, long bytes) {
    size.begin();
    size.took(new Assignment.Taken(records, bytes));
    return size.hasChanged(bytes, records);
  }

  private boolean isTaken(Headers headers, int valueBytes) {
    return !BoundedPoll.isDropped(
        bounded.deserialize("t", headers, ByteBuffer.allocate(valueBytes)));
  }
}

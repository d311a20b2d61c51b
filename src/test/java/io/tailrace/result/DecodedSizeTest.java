package io.tailrace.result;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;
import static org.junit.Assert.assertThrows;

import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.MemoryBudget;
import io.tailrace.offline.BundleEncoder;
import io.tailrace.stage.InvalidMessageException;
import io.tailrace.testing.RandomResults;
import io.tailrace.testing.Results;
import io.tailrace.v1.Column;
import io.tailrace.v1.DeadLetter.Reason;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import org.junit.Test;

/** That what a result takes is counted before it is decoded, and no more is kept of it. */
public class DecodedSizeTest {
  private static final long T = RandomResults.START;

  /** Whatever a result holds, it is no more than was counted, and not much less. */
  @Test
  public void whatAResultHoldsIsAtMostWhatWasCounted() throws Exception {
    RandomResults random = RandomResults.seeded(7).withDeletions(0.3).withRowsUpTo(30);
    for (int i = 0; i < 500; i++) {
      byte[] payload = random.next().toByteArray();
      long counted = DecodedSize.of(payload);

      BusMessage message = BundleEncoder.message(payload);
      long held =
          new ResultDecoder().decode(message).heldBytes() - message.heldBytes() + payload.length;

      assertWithMessage("result %s", i).that(held).isAtMost(counted);
      assertWithMessage("result %s", i).that(held).isAtLeast(counted / 3);
    }
  }

  @Test
  public void aResultHoldsKeyAndHeadersOfItsMessageToo() throws Exception {
    BusMessage plain = BundleEncoder.message(RandomResults.seeded(7).next().toByteArray());
    BusMessage large =
        BusMessage.of(
            plain.payload(),
            new byte[1_000],
            plain.place(),
            plain.ownTime(),
            Headers.of(new Header("name", new byte[20_000]), new Header("n", null)));

    assertThat(large.heldBytes()).isAtLeast(plain.heldBytes() + 21_000);
    assertThat(new ResultDecoder().decode(large).heldBytes())
        .isEqualTo(
            new ResultDecoder().decode(plain).heldBytes() + large.heldBytes() - plain.heldBytes());
  }

  @Test
  public void anyBytesAreCountedWithoutAnError() {
    java.util.Random random = new java.util.Random(3);
    RandomResults results = RandomResults.seeded(8).withRowsUpTo(5);
    for (int i = 0; i < 2_000; i++) {
      byte[] payload = results.next().toByteArray();
      payload[random.nextInt(payload.length)] = (byte) random.nextInt();

      assertThat(DecodedSize.of(payload)).isAtLeast(payload.length);
    }
  }

  @Test
  public void numbersOfOneByteThatTakeMoreThanOneMessageMayAreTooLarge() throws Exception {
    byte[] payload = numbers(100_000).toByteArray();
    assertThat(payload.length).isLessThan(250_000);

    InvalidMessageException refused =
        assertThrows(InvalidMessageException.class, () -> DecodedSize.check(payload, 16 * 100_000));

    assertThat(refused.reason()).isEqualTo(Reason.TOO_LARGE);
    assertThat(refused).hasMessageThat().contains("raise -Xmx");
    DecodedSize.check(payload, 20 * 100_000);
  }

  /** Only the decoder's own check stands before the heap. */
  @Test
  public void aMessageThatIsTooLargeForTheProcessIsRefusedByTheDecoder() {
    byte[] payload = new byte[Math.toIntExact(MemoryBudget.ofProcess().largest() + 1)];

    InvalidMessageException refused =
        assertThrows(
            InvalidMessageException.class,
            () -> new ResultDecoder().decode(BundleEncoder.message(payload)));

    assertThat(refused.reason()).isEqualTo(Reason.TOO_LARGE);
  }

  @Test
  public void numbersOfOneByteThatFitAreDecoded() throws Exception {
    Result result =
        new ResultDecoder().decode(BundleEncoder.message(numbers(300_000).toByteArray()));

    assertThat(result.frames().get(0).columns().get(0).int64(299_999)).isEqualTo(-1);
    assertThat(result.heldBytes()).isAtLeast(2L * 8 * 300_000);
  }

  @Test
  public void roomForManyNumbersIsNotKept() throws Exception {
    VarintRun run = new VarintRun();
    byte[] packed = new byte[100_005];
    WireCursor in = new WireCursor(packed);
    // The length before them: 100,000.
    packed[0] = (byte) 0xa0;
    packed[1] = (byte) 0x8d;
    packed[2] = 6;
    in.limit = 3 + 100_000;

    assertThat(run.addPacked(in)).isTrue();
    assertThat(run.numbers).hasLength(100_000);
    assertThat(run.take()).hasLength(100_000);
    assertThat(run.numbers.length).isAtMost(16);
    run.clear();
    for (int i = 0; i < 100; i++) {
      run.add(i);
    }
    assertThat(run.take()).hasLength(100);
  }

  @Test
  public void roomForManyTextsIsNotKept() throws Exception {
    SliceRun run = new SliceRun();
    WireCursor in = new WireCursor(new byte[20_000]);
    for (int i = 0; i < 20_000; i++) {
      run.add(in);
    }

    assertThat(run.take()).hasLength(40_000);
    assertThat(run.bounds.length).isAtMost(16);
  }

  /** Names of resolvers that vary with each execution must not fill the heap. */
  @Test
  public void whatIsRememberedOfColumnsIsBoundedInBytes() throws Exception {
    ColumnHeads heads = new ColumnHeads();
    for (int i = 0; i < 3_000; i++) {
      byte[] column =
          Column.newBuilder()
              .setFeature("user.age")
              .setTypeValue(1)
              .setResolverFqn("resolver of " + i + "x".repeat(10_000))
              .build()
              .toByteArray();
      ColumnHead head = heads.parse(new WireCursor(column), "user", new ColumnPlace());

      assertThat(head.spec.resolverFqn()).startsWith("resolver of " + i + "x");
      assertThat(heads.rememberedBytes()).isAtMost(ColumnHeads.MAX_REMEMBERED_BYTES);
    }
    assertThat(heads.rememberedBytes()).isGreaterThan(0L);
  }

  private static QueryResult numbers(int rows) {
    Frame.Builder frame = Frame.newBuilder().setNamespace("user");
    Column.Builder column = Results.int64("age", T, 0).toBuilder().clearInt64Values();
    for (int i = 0; i < rows; i++) {
      frame.addInt64Keys(i % 50);
      column.addInt64Values(-1);
    }
    return Results.of(frame.addColumns(column).build());
  }
}

package io.tailrace.pipelines.benchmark.edges;

import java.util.Set;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * A record that no writer can store anything of, and who must say so.
 *
 * @param kind what is wrong with it, in words
 * @param compressed whether it is sent compressed, as what is larger than its topic takes must be
 * @param record what is sent
 * @param refusedBy the writers that must each write one dead letter about it
 */
record EdgeRecord(
    String kind, boolean compressed, ProducerRecord<byte[], byte[]> record, Set<String> refusedBy) {
  EdgeRecord {
    refusedBy = Set.copyOf(refusedBy);
  }
}

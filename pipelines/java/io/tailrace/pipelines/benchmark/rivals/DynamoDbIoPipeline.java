package io.tailrace.pipelines.benchmark.rivals;

import com.google.protobuf.InvalidProtocolBufferException;
import io.tailrace.v1.Column;
import io.tailrace.v1.Frame;
import io.tailrace.v1.QueryResult;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.beam.sdk.io.aws2.common.ClientConfiguration;
import org.apache.beam.sdk.io.aws2.dynamodb.DynamoDBIO;
import org.apache.beam.sdk.values.KV;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.dynamodb.model.AttributeValue;
import software.amazon.awssdk.services.dynamodb.model.WriteRequest;

/**
 * What Beam has out of the box: {@code DynamoDBIO.write}, an item for each result and 25 of them a
 * request, without any order: the item that comes last stands.
 */
public final class DynamoDbIoPipeline {
  private DynamoDbIoPipeline() {}

  /** Returns a transform that writes serialized results. */
  public static DynamoDBIO.Write<byte[]> write(String endpoint, String table) {
    return DynamoDBIO.<byte[]>write()
        .withClientConfiguration(
            ClientConfiguration.builder()
                .endpoint(URI.create(endpoint))
                .region(Region.EU_WEST_1)
                .credentialsProvider(
                    StaticCredentialsProvider.create(AwsBasicCredentials.create("a", "b")))
                .build())
        .withWriteRequestMapperFn(result -> KV.of(table, request(result)))
        .withDeduplicateKeys(List.of("__id__", "__ns__"));
  }

  private static WriteRequest request(byte[] bytes) {
    QueryResult result;
    try {
      result = QueryResult.parseFrom(bytes);
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalArgumentException(e);
    }
    Frame frame = result.getFrames(0);
    Map<String, AttributeValue> item = new HashMap<>();
    item.put("__id__", AttributeValue.fromS(frame.getStringKeys(0)));
    item.put("__ns__", AttributeValue.fromS(frame.getNamespace()));
    for (Column column : frame.getColumnsList()) {
      // As many bytes as a cell has, for units to be compared.
      ByteBuffer value = ByteBuffer.allocate(26).putLong(18, column.getObservedAt(0));
      item.put(
          column.getFeature().substring(frame.getNamespace().length() + 1),
          AttributeValue.fromB(SdkBytes.fromByteArray(value.array())));
    }
    return WriteRequest.builder().putRequest(put -> put.item(item)).build();
  }
}

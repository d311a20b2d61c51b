package io.tailrace.pipelines;

import static com.google.common.truth.Truth.assertThat;

import java.util.Map;
import org.junit.Test;

public class CloudDefaultsTest {
  private static final Map<String, String> ANY = Map.of("awsRegion", "us-east-1");

  @Test
  public void noMachineIsAskedForARegionThatNothingNeeds() {
    assertThat(CloudDefaults.of(new String[] {"--resultBus=kafka://b/r"}, Map.of())).isEqualTo(ANY);
  }

  @Test
  public void theRegionOfABucketIsWhatTheUserOrTheMachineSays() {
    String[] ofBucket = {"--deadLetterBucket=s3://letters/x"};
    String[] inUri = {"--offlineStore=redshift://h:5439/db?stage=s3://bucket/x"};

    assertThat(CloudDefaults.of(ofBucket, Map.of())).isEmpty();
    assertThat(CloudDefaults.of(inUri, Map.of())).isEmpty();
  }

  @Test
  public void aRegionOfTheEnvironmentStands() {
    assertThat(CloudDefaults.of(new String[0], Map.of("AWS_REGION", "eu-west-1"))).isEmpty();
    assertThat(CloudDefaults.of(new String[0], Map.of("aws.region", "eu-west-1"))).isEmpty();
  }
}

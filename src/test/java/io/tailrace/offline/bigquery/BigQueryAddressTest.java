package io.tailrace.offline.bigquery;

import static com.google.common.truth.Truth.assertThat;
import static org.junit.Assert.assertThrows;

import io.tailrace.offline.OfflineStore;
import io.tailrace.offline.OfflineStores;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a BigQuery URI may say. */
@RunWith(JUnit4.class)
public class BigQueryAddressTest {
  private static String wrong(String uri) {
    return assertThrows(IllegalArgumentException.class, () -> OfflineStores.at(uri)).getMessage();
  }

  @Test
  public void everythingThatIsWrongIsSaidAtOnce() {
    assertThat(
            wrong(
                "bigquery://My_Project/data-set?exactlyOnce=yes&commitEvery=1s&endpoint=bq&latst=true"))
        .isEqualTo(
            "'bigquery://My_Project/data-set?exactlyOnce=yes&commitEvery=1s&endpoint=bq&latst=***':"
                + " 'My_Project' is not the id of a project: 6 to 30 small letters, digits and '-',"
                + " such as my-project-123; 'data-set' is not the name of a dataset: letters,"
                + " digits and '_', with or without {environment}; exactlyOnce=yes is neither true"
                + " nor false; commitEvery is for exactlyOnce=true: rows are readable at once"
                + " without it; endpoint=bq is not an address such as"
                + " https://bigquery.googleapis.com; parameter 'latst' is unknown; known are"
                + " exactlyOnce, latest, commitEvery, endpoint, location, connectTimeout, timeout,"
                + " retryFor. Example: bigquery://my-project/tailrace_{environment}?location=EU");
    assertThat(wrong("bigquery://my-project")).contains("the dataset is missing");
    assertThat(wrong("bigquery://my-project/{environment}_{environment}")).contains("twice");
    assertThat(wrong("bigquery://my-project:443/data")).contains("a project has no port");
    assertThat(wrong("bigquery://a-project,b-project/data")).contains("several are named");
  }

  @Test
  public void aStoreIsSerializableAndSaysWhoWritesToIt() throws Exception {
    OfflineStore store = OfflineStores.at(BigQueryOfflineStore.EXAMPLE);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ObjectOutputStream out = new ObjectOutputStream(bytes)) {
      out.writeObject(store);
    }
    OfflineStore read =
        (OfflineStore)
            new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray())).readObject();

    assertThat(read.uri()).isEqualTo(BigQueryOfflineStore.EXAMPLE);
    assertThat(read.writer()).isEqualTo("bigquery-streaming-writer");
    assertThat(read.separatesEnvironments()).isTrue();
    assertThat(OfflineStores.at("bigquery://my-project/data").separatesEnvironments()).isFalse();
  }
}

package io.tailrace.sql.duckdb;

import static com.google.common.truth.Truth.assertThat;

import java.sql.SQLException;
import org.junit.Test;

/** What an error of DuckDB is. */
public class DuckDbFileTest {
  @Test
  public void anErrorIsWhatItsMessageBeginsWithWhateverRowItQuotes() {
    assertThat(
            type(
                "Conversion Error: Malformed JSON at byte 3. Input: \"{\"level\":\"FATAL Error: \"\""))
        .isEqualTo("Conversion Error");
    assertThat(type("Invalid Input Error: 'IO Error: x' is not UTF8"))
        .isEqualTo("Invalid Input Error");
    assertThat(type("FATAL Error: Failed: database has been invalidated")).isEqualTo("FATAL Error");
    assertThat(
            type(
                "Invalid Input Error: Attempting to execute an unsuccessful or closed pending query"
                    + " result\nError: Out of Memory Error: failed to pin block"))
        .isEqualTo("Out of Memory Error");
    assertThat(type("Connection was closed")).isEmpty();
    assertThat(DuckDbFile.errorType(new SQLException())).isEmpty();
  }

  private static String type(String message) {
    return DuckDbFile.errorType(new SQLException(message));
  }
}

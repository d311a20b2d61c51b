package io.tailrace.offline.redshift;

import static com.google.common.truth.Truth.assertThat;
import static com.google.common.truth.Truth.assertWithMessage;

import com.amazon.redshift.util.RedshiftException;
import com.amazon.redshift.util.ServerErrorMessage;
import io.tailrace.offline.warehouse.Meaning;
import java.sql.SQLException;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.junit.runners.JUnit4;

/** What a COPY that Redshift refuses means: a file that is at fault, or a bucket that is away. */
@RunWith(JUnit4.class)
public class RedshiftStatesTest {
  private static SQLException answer(String message, String context) {
    String detail =
        context.isEmpty()
            ? ""
            : "D\n  -----\n  error:  "
                + message
                + "\n  code:      15001\n  context:   "
                + context
                + "\n  query:     26301369\n  location:  dory_util.cpp:1450\n  process:   worker"
                + " [pid=10836]\n  -----\n\0";
    return new RedshiftException(
        new ServerErrorMessage("SERROR\0CXX000\0M" + message + "\0" + detail + "\0"));
  }

  private static void assertMeans(Meaning meaning, String message, String context) {
    assertWithMessage(message + " " + context)
        .that(RedshiftStates.meaning(answer(message, context)))
        .isEqualTo(meaning);
  }

  @Test
  public void whatCantBeReadNowIsNobodysContent() {
    String scan = "Spectrum Scan Error";
    assertMeans(
        Meaning.LATER,
        scan,
        "Forbidden: HTTP response error code: 403 Message: AccessDenied Access Denied");
    assertMeans(Meaning.LATER, scan, "S3ServiceException:speed limit,Status 503,Error SlowDown");
    assertMeans(Meaning.LATER, scan, "Request ran into\n      a time out: Timeout was reached");
    assertMeans(Meaning.LATER, scan, "HTTP response error code: 500 Message: InternalError");
    assertMeans(Meaning.LATER, scan, "The ciphertext refers to a KMS key that this role can't use");
    assertMeans(
        Meaning.LATER,
        "S3 Query Exception (Fetch)",
        "boost::thread_resource_error: Resource temporarily unavailable");
    assertMeans(Meaning.LATER, "S3Query Exception Connection failed, retries exceeded", "");
    assertMeans(
        Meaning.LATER,
        "S3ServiceException:The specified bucket does not exist,Status 404,Error NoSuchBucket",
        "");
    assertMeans(
        Meaning.LATER, "S3ServiceException:Access Denied,Status 403,Error AccessDenied", "");
  }

  @Test
  public void aFileThatIsNotAsItsTableIsIsItsOwnFault() {
    assertMeans(Meaning.CONTENT, "Spectrum Scan Error", "");
    assertMeans(
        Meaning.CONTENT,
        "Spectrum Scan Error",
        "File 'https://s3.eu-west-1.amazonaws.com/b/access-denied-timeout-503/f.parquet' has an"
            + " incompatible Parquet schema for column 's3://b/forbidden.c'");
    assertMeans(
        Meaning.CONTENT,
        "Spectrum Scan Error",
        "has an incompatible Parquet schema: optional int32 connection_expired [i:4 d:1 r:0]");
    assertMeans(
        Meaning.CONTENT, "S3 Query Exception (Fetch)", "has an incompatible Parquet schema");
    assertMeans(
        Meaning.CONTENT,
        "S3ServiceException:The specified key does not exist.,Status 404,Error NoSuchKey",
        "");
  }

  @Test
  public void theContextIsSaidOnOneLineAndARowIsNot() {
    assertThat(
            RedshiftStates.message(
                answer("Spectrum Scan Error", "Unmatched number of columns.\n      Two: 2")))
        .isEqualTo("Spectrum Scan Error: Unmatched number of columns. Two: 2");
    assertThat(
            RedshiftStates.message(
                new RedshiftException(
                    new ServerErrorMessage(
                        "SERROR\0C23505\0Mduplicate key\0DKey (pkey)=(ann) exists.\0\0"))))
        .isEqualTo("duplicate key");
  }
}

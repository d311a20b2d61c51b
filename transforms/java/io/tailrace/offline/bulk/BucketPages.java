package io.tailrace.offline.bulk;

import static java.util.Objects.requireNonNull;

import com.google.api.services.storage.model.Objects;
import com.google.api.services.storage.model.StorageObject;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.beam.sdk.extensions.gcp.options.GcsOptions;
import org.apache.beam.sdk.extensions.gcp.util.GcsUtil;
import org.apache.beam.sdk.io.FileSystem;
import org.apache.beam.sdk.io.FileSystemRegistrar;
import org.apache.beam.sdk.io.aws2.options.S3Options;
import org.apache.beam.sdk.io.aws2.s3.S3FileSystemConfiguration;
import org.apache.beam.sdk.options.PipelineOptions;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Response;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * Lists the names in a bucket, a page at a time. Beam's file system of S3 asks besides for each
 * object that it lists: one that the service tells nothing about makes its list fail, one that is
 * deleted meanwhile makes it empty, and a large bucket is so many requests.
 *
 * <p>It is a registrar without a file system, as Beam tells its file systems alone which options
 * they have: whenever it does, they are noted here, too. Thread-safe.
 */
public final class BucketPages implements FileSystemRegistrar {
  /** Those of Beam's file systems, which are the same for all of a process, too. */
  private static final AtomicReference<@Nullable Opened> OPENED = new AtomicReference<>();

  /** Takes the names of a page. */
  @FunctionalInterface
  interface Visitor {
    /** Returns whether the next page is wanted, too. */
    boolean take(List<String> names);
  }

  /** What lists with the options of a moment. */
  private static final class Opened {
    private final PipelineOptions options;
    private @Nullable Amazon amazon;

    Opened(PipelineOptions options) {
      this.options = options;
    }

    /** Made once: each has connections of its own. */
    synchronized Amazon amazon() {
      Amazon made = amazon == null ? new Amazon(options) : amazon;
      amazon = made;
      return made;
    }
  }

  @Override
  public Iterable<FileSystem<?>> fromOptions(PipelineOptions options) {
    OPENED.set(new Opened(options));
    return List.of();
  }

  /**
   * Visits the names of all objects that begin with an address.
   *
   * @param folder {@code s3://bucket/folder/} or the same of {@code gs}
   * @throws IOException if they can't be listed
   */
  static void visit(String folder, Visitor visitor) throws IOException {
    Opened now = requireNonNull(OPENED.get(), "Beam's file systems have no options yet");
    int path = folder.indexOf("://") + 3;
    int slash = folder.indexOf('/', path);
    String bucket = folder.substring(path, slash);
    String prefix = folder.substring(slash + 1);
    String root = folder.substring(0, slash + 1);
    Optional<String> next = Optional.of("");
    while (next.isPresent()) {
      Page page =
          folder.startsWith("s3:")
              ? now.amazon().page(bucket, prefix, next.get())
              : Google.page(now.options, bucket, prefix, next.get());
      next = page.names.isEmpty() || visitor.take(page.of(root)) ? page.next : Optional.empty();
    }
  }

  /**
   * Names within a bucket.
   *
   * @param next names the page behind it; empty: it is the last one
   */
  private record Page(List<String> names, Optional<String> next) {
    /** An empty one names no page: from it all would begin anew. */
    static Optional<String> token(@Nullable String given) {
      return Optional.ofNullable(given).filter(token -> !token.isEmpty());
    }

    List<String> of(String root) {
      return names.stream().map(root::concat).toList();
    }
  }

  /** Not loaded where no bucket is Amazon's. */
  private static final class Amazon {
    private final S3Client client;

    Amazon(PipelineOptions options) {
      client =
          S3FileSystemConfiguration.fromS3Options(options.as(S3Options.class))
              .getS3ClientBuilder()
              .build();
    }

    Page page(String bucket, String prefix, String from) throws IOException {
      ListObjectsV2Request.Builder request =
          ListObjectsV2Request.builder().bucket(bucket).prefix(prefix);
      try {
        ListObjectsV2Response page =
            client.listObjectsV2(
                (from.isEmpty() ? request : request.continuationToken(from)).build());
        return new Page(
            page.contents().stream().map(S3Object::key).toList(),
            Page.token(page.nextContinuationToken()));
      } catch (SdkException e) {
        throw new IOException(e.getMessage(), e);
      }
    }
  }

  /** Not loaded where no bucket is Google's. */
  private static final class Google {
    static Page page(PipelineOptions options, String bucket, String prefix, String from)
        throws IOException {
      GcsUtil storage = options.as(GcsOptions.class).getGcsUtil();
      Objects page = storage.listObjects(bucket, prefix, from.isEmpty() ? null : from);
      List<StorageObject> items = page.getItems();
      return new Page(
          items == null ? List.of() : items.stream().map(StorageObject::getName).toList(),
          Page.token(page.getNextPageToken()));
    }
  }
}

package io.tailrace.offline.staging;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A folder in a bucket, which warehouses read from: {@code s3://bucket/folder} or {@code
 * gs://bucket/folder}. Each file is one object, which is there as a whole or not at all. Immutable.
 *
 * <p>On S3 it needs {@code s3:PutObject}, {@code s3:GetObject} and {@code s3:DeleteObject} of the
 * folder's objects and {@code s3:ListBucket} of the bucket. On Google Cloud it is reached as Beam
 * reaches it, with the credentials of the pipeline's options, and needs the role {@code
 * roles/storage.objectUser}.
 *
 * @param uri its address
 * @param access how it is reached if it is on S3
 * @param form how the store wants its files
 */
public record BucketStage(String uri, BucketAccess access, StagedForm form) implements Stage {
  private static final long serialVersionUID = 1;

  private static final Pattern ADDRESS =
      Pattern.compile("(s3|gs)://([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:/(.*))?");

  /**
   * Names a folder in a bucket. A slash at its end is left out.
   *
   * @throws IllegalArgumentException with one sentence that shows a correct address
   */
  public BucketStage {
    uri = uri.replaceFirst("/+$", "");
    Matcher matcher = ADDRESS.matcher(uri);
    if (!matcher.matches()) {
      throw new IllegalArgumentException(
          "'"
              + uri
              + "' is no stage"
              + (uri.startsWith("gcs://")
                  ? ": Google's buckets are gs://bucket"
                  : uri.startsWith("s3a://") || uri.startsWith("s3n://")
                      ? ": Amazon's buckets are s3://bucket"
                      : "")
              + ". Examples: "
              + Stages.EXAMPLES);
    }
  }

  /** Returns what to add to the class path, as S3 is reached with it; empty: nothing. */
  public static Optional<String> missingLibrary() {
    try {
      Class<?> unused =
          Class.forName(
              "software.amazon.awssdk.services.s3.S3Client",
              false,
              BucketStage.class.getClassLoader());
      return Optional.empty();
    } catch (ClassNotFoundException e) {
      return Optional.of(
          "its stage needs org.apache.beam:beam-sdks-java-io-amazon-web-services2 on the class"
              + " path: add it");
    }
  }

  /** Returns the bucket's name. */
  public String bucket() {
    return part(2);
  }

  /** Returns what stands before the names of its files in the bucket: empty, or with a slash. */
  String prefix() {
    String folder = part(3);
    return folder.isEmpty() ? "" : folder + "/";
  }

  private String part(int group) {
    Matcher matcher = ADDRESS.matcher(uri);
    String part = matcher.matches() ? matcher.group(group) : "";
    return part == null ? "" : part;
  }

  @Override
  public Stage at(String other) {
    return Stages.at(other, access, form);
  }

  @Override
  public Connection open() {
    return uri.startsWith("s3:") ? new S3Folder(this) : new FileSystemFolder(uri);
  }
}

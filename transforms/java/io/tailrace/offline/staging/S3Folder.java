package io.tailrace.offline.staging;

import static java.util.Objects.requireNonNull;

import com.google.common.collect.Lists;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.Secret;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.ResponseBytes;
import software.amazon.awssdk.core.checksums.RequestChecksumCalculation;
import software.amazon.awssdk.core.checksums.ResponseChecksumValidation;
import software.amazon.awssdk.core.exception.RetryableException;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.core.exception.SdkException;
import software.amazon.awssdk.core.exception.SdkServiceException;
import software.amazon.awssdk.core.sync.RequestBody;
import software.amazon.awssdk.http.apache5.Apache5HttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3Client;
import software.amazon.awssdk.services.s3.S3ClientBuilder;
import software.amazon.awssdk.services.s3.model.DeleteObjectsResponse;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;
import software.amazon.awssdk.services.s3.model.ListObjectsV2Request;
import software.amazon.awssdk.services.s3.model.NoSuchKeyException;
import software.amazon.awssdk.services.s3.model.ObjectIdentifier;
import software.amazon.awssdk.services.s3.model.S3Exception;
import software.amazon.awssdk.services.s3.model.S3Object;

/**
 * A folder in a bucket on S3, or on what speaks as S3 does. An object is put by one request, so
 * that it is there as a whole or not at all. Not thread-safe.
 */
final class S3Folder implements Stage.Connection {
  /** Requests that are on their way at once: each takes some 30 ms, whatever it carries. */
  private static final int SIDE_BY_SIDE = 8;

  /** What one request deletes. */
  private static final int MAX_DELETED = 1_000;

  private final BucketStage stage;
  private final String bucket;
  private final String prefix;
  private @Nullable S3Client client;
  private @Nullable ExecutorService threads;

  S3Folder(BucketStage stage) {
    this.stage = stage;
    this.bucket = stage.bucket();
    this.prefix = stage.prefix();
  }

  private interface Request<T> {
    T send(S3Client client) throws SdkException;
  }

  private S3Client connected() throws UnavailableException {
    S3Client open = client;
    if (open == null) {
      try {
        open = connect(stage.access());
      } catch (IllegalStateException | SdkException e) {
        throw new UnavailableException("the stage " + stage.uri() + ": " + e.getMessage(), e);
      }
      client = open;
    }
    return open;
  }

  /** Secrets are read anew at each connection. */
  private static S3Client connect(BucketAccess access) {
    S3ClientBuilder builder =
        S3Client.builder()
            // There may be others on the class path.
            .httpClientBuilder(Apache5HttpClient.builder().maxConnections(2 * SIDE_BY_SIDE));
    String endpoint = access.endpoint();
    String region = access.region();
    if (endpoint != null) {
      // What speaks as S3 does mostly has one host for all buckets, and no newer checksums.
      builder
          .endpointOverride(URI.create(endpoint))
          .forcePathStyle(true)
          .requestChecksumCalculation(RequestChecksumCalculation.WHEN_REQUIRED)
          .responseChecksumValidation(ResponseChecksumValidation.WHEN_REQUIRED);
    }
    if (region != null) {
      builder.region(Region.of(region));
    } else if (endpoint != null) {
      builder.region(Region.US_EAST_1);
    }
    Secret accessKey = access.accessKey();
    Secret secretKey = access.secretKey();
    if (accessKey != null && secretKey != null) {
      builder.credentialsProvider(
          StaticCredentialsProvider.create(
              AwsBasicCredentials.create(accessKey.read(), secretKey.read())));
    }
    return builder.build();
  }

  private <T> T send(Request<T> request) throws UnavailableException {
    S3Client open = connected();
    Retry retry = Retry.of("the stage " + stage.uri(), stage.access().retryFor());
    while (true) {
      try {
        return request.send(open);
      } catch (NoSuchKeyException e) {
        throw e;
      } catch (SdkException e) {
        if (!mayWork(e)) {
          throw unusable(e);
        }
        retry.pause(String.valueOf(e.getMessage()), e);
      }
    }
  }

  private static boolean mayWork(SdkException e) {
    if (e instanceof SdkServiceException answer) {
      return answer.statusCode() >= 500 || answer.isThrottlingException();
    }
    return e instanceof RetryableException
        || e.retryable()
        // Nobody answered.
        || (e instanceof SdkClientException && e.getCause() instanceof IOException);
  }

  /** Says what is wrong, and what to do where that is known. */
  private UnavailableException unusable(SdkException e) {
    String correction = "";
    if (e instanceof S3Exception answer) {
      String code = answer.awsErrorDetails() == null ? "" : answer.awsErrorDetails().errorCode();
      if ("NoSuchBucket".equals(code)) {
        correction = "; create the bucket " + bucket + ", or name another";
      } else if (answer.statusCode() == 301) {
        correction = "; the bucket is in another region: say which with stageRegion";
      } else if (answer.statusCode() == 403) {
        correction =
            "; grant s3:PutObject, s3:GetObject and s3:DeleteObject of "
                + bucket
                + "/"
                + prefix
                + "* and s3:ListBucket of "
                + bucket;
      }
    }
    return new UnavailableException(
        "the stage " + stage.uri() + " can't be used: " + e.getMessage() + correction, e);
  }

  @Override
  public void put(Map<String, byte[]> files) throws UnavailableException {
    if (files.size() == 1) {
      Map.Entry<String, byte[]> file = files.entrySet().iterator().next();
      put(file.getKey(), file.getValue());
      return;
    }
    S3Client unused = connected();
    ExecutorService open = threads;
    if (open == null) {
      open = Executors.newFixedThreadPool(SIDE_BY_SIDE, S3Folder::thread);
      threads = open;
    }
    List<Future<?>> sent = new ArrayList<>();
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      sent.add(
          open.submit(
              () -> {
                put(file.getKey(), file.getValue());
                return true;
              }));
    }
    await(sent);
  }

  private static Thread thread(Runnable work) {
    Thread thread = new Thread(work, "stage-s3");
    thread.setDaemon(true);
    return thread;
  }

  private void await(List<Future<?>> sent) throws UnavailableException {
    try {
      for (Future<?> each : sent) {
        Object unused = each.get();
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof UnavailableException unavailable) {
        throw unavailable;
      }
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UnavailableException("the stage " + stage.uri() + ": interrupted", e);
    } finally {
      sent.forEach(each -> each.cancel(true));
    }
  }

  private void put(String name, byte[] file) throws UnavailableException {
    Object unused =
        send(
            open ->
                open.putObject(
                    put -> put.bucket(bucket).key(prefix + name), RequestBody.fromBytes(file)));
  }

  @Override
  public Optional<byte[]> read(String name) throws UnavailableException {
    try {
      ResponseBytes<GetObjectResponse> object =
          send(open -> open.getObjectAsBytes(get -> get.bucket(bucket).key(prefix + name)));
      return Optional.of(object.asByteArrayUnsafe());
    } catch (NoSuchKeyException e) {
      return Optional.empty();
    }
  }

  @Override
  public List<Stage.Entry> list() throws UnavailableException {
    ListObjectsV2Request request =
        ListObjectsV2Request.builder().bucket(bucket).prefix(prefix).build();
    return send(
        open -> {
          List<Stage.Entry> entries = new ArrayList<>();
          for (S3Object object : open.listObjectsV2Paginator(request).contents()) {
            String name = object.key().substring(prefix.length());
            // Consoles make empty objects for folders.
            if (!name.isEmpty() && !name.endsWith("/")) {
              entries.add(new Stage.Entry(name, requireNonNull(object.lastModified())));
            }
          }
          return entries;
        });
  }

  @Override
  public void delete(Collection<String> names) throws UnavailableException {
    for (List<String> some : Lists.partition(List.copyOf(names), MAX_DELETED)) {
      List<ObjectIdentifier> objects =
          some.stream().map(name -> ObjectIdentifier.builder().key(prefix + name).build()).toList();
      DeleteObjectsResponse deleted =
          send(
              open ->
                  open.deleteObjects(
                      delete -> delete.bucket(bucket).delete(all -> all.objects(objects))));
      if (!deleted.errors().isEmpty()) {
        throw new UnavailableException(
            "the stage "
                + stage.uri()
                + " can't be used: "
                + deleted.errors().get(0).key()
                + " can't be deleted: "
                + deleted.errors().get(0).message());
      }
    }
  }

  @Override
  public void close() {
    ExecutorService open = threads;
    threads = null;
    if (open != null) {
      open.shutdownNow();
    }
    S3Client before = client;
    client = null;
    if (before != null) {
      before.close();
    }
  }
}

package io.tailrace.offline.bigquery;

import com.google.api.client.googleapis.json.GoogleJsonError;
import com.google.api.client.googleapis.json.GoogleJsonResponseException;
import com.google.api.client.googleapis.services.AbstractGoogleClientRequest;
import com.google.api.client.http.HttpRequestInitializer;
import com.google.api.client.http.javanet.NetHttpTransport;
import com.google.api.client.json.gson.GsonFactory;
import com.google.api.services.bigquery.Bigquery;
import com.google.api.services.bigquery.BigqueryScopes;
import com.google.api.services.bigquery.model.DataFormatOptions;
import com.google.api.services.bigquery.model.Dataset;
import com.google.api.services.bigquery.model.DatasetList;
import com.google.api.services.bigquery.model.DatasetReference;
import com.google.api.services.bigquery.model.GetQueryResultsResponse;
import com.google.api.services.bigquery.model.Job;
import com.google.api.services.bigquery.model.JobConfiguration;
import com.google.api.services.bigquery.model.JobConfigurationQuery;
import com.google.api.services.bigquery.model.JobReference;
import com.google.api.services.bigquery.model.QueryRequest;
import com.google.api.services.bigquery.model.QueryResponse;
import com.google.api.services.bigquery.model.Table;
import com.google.api.services.bigquery.model.TableReference;
import com.google.auth.http.HttpCredentialsAdapter;
import com.google.auth.oauth2.GoogleCredentials;
import io.tailrace.endpoint.Retry;
import io.tailrace.endpoint.UnavailableException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Calls the REST interface of BigQuery: what is to be tried again is, until a deadline. Safe for
 * several threads.
 */
final class BigQueryClient {
  private static final int NOT_FOUND = 404;
  private static final int CONFLICT = 409;
  private static final int PRECONDITION_FAILED = 412;

  /** Answers that say that a later call may succeed. */
  private static final Set<Integer> AGAIN = Set.of(408, 429, 500, 502, 503, 504);

  /** Reasons that say so of an answer 403, or 400. */
  private static final Set<String> REASONS_TO_TRY_AGAIN =
      Set.of(
          "rateLimitExceeded",
          "userRateLimitExceeded",
          "jobRateLimitExceeded",
          "quotaExceeded",
          "backendError",
          "internalError",
          "jobBackendError",
          "jobInternalError",
          "tableUnavailable");

  private final BigQueryAddress address;
  private @Nullable Bigquery service;

  BigQueryClient(BigQueryAddress address) {
    this.address = address;
  }

  /** BigQuery has refused a call, and would again. */
  static final class RefusedException extends Exception {
    private static final long serialVersionUID = 1;

    private final int status;

    private RefusedException(int status, String message, Throwable cause) {
      super(message, cause);
      this.status = status;
    }

    /** Returns whether the right to do so is missing. */
    boolean isForbidden() {
      return status == 401 || status == 403;
    }
  }

  /** Makes a call. */
  private interface Call<T> {
    AbstractGoogleClientRequest<T> of(Bigquery service) throws IOException;
  }

  Optional<Dataset> dataset(String name) throws UnavailableException, RefusedException {
    return found(service -> service.datasets().get(address.project(), name));
  }

  /**
   * Returns when the oldest dataset was made that the address names, by its environments or alone:
   * milliseconds since the epoch. Empty if there is none.
   */
  Optional<Long> oldestDataset() throws UnavailableException, RefusedException {
    Optional<Long> oldest = Optional.empty();
    for (String name : address.separatesEnvironments() ? datasets() : List.of(address.dataset())) {
      Optional<Long> made = dataset(name).map(Dataset::getCreationTime);
      if (made.isPresent() && (oldest.isEmpty() || made.get() < oldest.get())) {
        oldest = made;
      }
    }
    return oldest;
  }

  /** Returns the names of the datasets of the environments that there are. */
  private List<String> datasets() throws UnavailableException, RefusedException {
    List<String> names = new ArrayList<>();
    String page = "";
    do {
      String from = page;
      DatasetList some =
          run(
              service -> {
                Bigquery.Datasets.List list = service.datasets().list(address.project());
                return from.isEmpty() ? list : list.setPageToken(from);
              });
      if (some.getDatasets() != null) {
        some.getDatasets().stream()
            .map(dataset -> dataset.getDatasetReference().getDatasetId())
            .filter(address::isDataset)
            .forEach(names::add);
      }
      page = some.getNextPageToken() == null ? "" : some.getNextPageToken();
    } while (!page.isEmpty());
    return names;
  }

  /** Looks whether datasets can be listed. */
  void listDatasets() throws UnavailableException, RefusedException {
    var unused = run(service -> service.datasets().list(address.project()).setMaxResults(1L));
  }

  /** Creates a dataset, unless somebody has. */
  void createDataset(String name) throws UnavailableException, RefusedException {
    Dataset dataset =
        new Dataset()
            .setDatasetReference(
                new DatasetReference().setProjectId(address.project()).setDatasetId(name));
    if (!address.access().location().isEmpty()) {
      dataset.setLocation(address.access().location());
    }
    boolean unused =
        isDone(service -> service.datasets().insert(address.project(), dataset), CONFLICT);
  }

  Optional<Table> table(String dataset, String name) throws UnavailableException, RefusedException {
    return found(service -> service.tables().get(address.project(), dataset, name));
  }

  /** Returns how a table is named in calls. */
  TableReference reference(String dataset, String name) {
    return new TableReference()
        .setProjectId(address.project())
        .setDatasetId(dataset)
        .setTableId(name);
  }

  /** Creates a table or view; returns false if there is one of that name. */
  boolean create(Table table) throws UnavailableException, RefusedException {
    return isDone(
        service ->
            service
                .tables()
                .insert(address.project(), table.getTableReference().getDatasetId(), table),
        CONFLICT);
  }

  /** Changes a table or view as it was found; returns false if somebody else has, meanwhile. */
  boolean change(Table found, Table change) throws UnavailableException, RefusedException {
    TableReference reference = found.getTableReference();
    return isDone(
        service -> {
          Bigquery.Tables.Patch patch =
              service
                  .tables()
                  .patch(
                      address.project(), reference.getDatasetId(), reference.getTableId(), change);
          patch.getRequestHeaders().setIfMatch(found.getEtag());
          return patch;
        },
        PRECONDITION_FAILED);
  }

  /** Returns what kind of statement BigQuery takes a text for, such as {@code SELECT}. */
  String statementType(String sql) throws UnavailableException, RefusedException {
    Job dryRun =
        new Job()
            .setJobReference(new JobReference().setProjectId(address.project()))
            .setConfiguration(
                new JobConfiguration()
                    .setDryRun(true)
                    .setQuery(new JobConfigurationQuery().setQuery(sql).setUseLegacySql(false)));
    dryRun.getJobReference().setLocation(location());
    Job answer = run(service -> service.jobs().insert(address.project(), dryRun));
    String type = answer.getStatistics().getQuery().getStatementType();
    return type == null ? "" : type;
  }

  /** Runs a query and returns as many rows of its answer, times in microseconds. */
  GetQueryResultsResponse query(String sql, long limit)
      throws UnavailableException, RefusedException {
    QueryRequest request =
        new QueryRequest()
            .setQuery(sql)
            .setUseLegacySql(false)
            .setLocation(location())
            .setMaxResults(limit)
            .setTimeoutMs(address.access().timeouts().reply().toMillis() / 2)
            .setFormatOptions(new DataFormatOptions().setUseInt64Timestamp(true));
    QueryResponse answer = run(service -> service.jobs().query(address.project(), request));
    GetQueryResultsResponse results =
        new GetQueryResultsResponse()
            .setJobComplete(answer.getJobComplete())
            .setSchema(answer.getSchema())
            .setRows(answer.getRows())
            .setPageToken(answer.getPageToken());
    JobReference job = answer.getJobReference();
    while (!Boolean.TRUE.equals(results.getJobComplete())) {
      results =
          run(
              service ->
                  service
                      .jobs()
                      .getQueryResults(address.project(), job.getJobId())
                      .setLocation(job.getLocation())
                      .setMaxResults(limit)
                      .setTimeoutMs(address.access().timeouts().reply().toMillis() / 2)
                      .setFormatOptionsUseInt64Timestamp(true));
    }
    return results;
  }

  private @Nullable String location() {
    return address.access().location().isEmpty() ? null : address.access().location();
  }

  private <T> Optional<T> found(Call<T> call) throws UnavailableException, RefusedException {
    try {
      return Optional.of(run(call));
    } catch (RefusedException e) {
      if (e.status == NOT_FOUND) {
        return Optional.empty();
      }
      throw e;
    }
  }

  private <T> boolean isDone(Call<T> call, int notDone)
      throws UnavailableException, RefusedException {
    try {
      var unused = run(call);
      return true;
    } catch (RefusedException e) {
      if (e.status == notDone) {
        return false;
      }
      throw e;
    }
  }

  private <T> T run(Call<T> call) throws UnavailableException, RefusedException {
    Retry retry = Retry.of(address.text(), address.access().timeouts().retryFor());
    while (true) {
      try {
        return call.of(service()).execute();
      } catch (GoogleJsonResponseException e) {
        String words = words(e);
        if (!isToBeTriedAgain(e)) {
          throw new RefusedException(e.getStatusCode(), words, e);
        }
        retry.pause(words, e);
      } catch (IOException e) {
        retry.pause(String.valueOf(e.getMessage()), e);
      }
    }
  }

  private static boolean isToBeTriedAgain(GoogleJsonResponseException e) {
    return AGAIN.contains(e.getStatusCode())
        || errors(e).stream()
            .map(GoogleJsonError.ErrorInfo::getReason)
            .anyMatch(reason -> reason != null && REASONS_TO_TRY_AGAIN.contains(reason));
  }

  private static List<GoogleJsonError.ErrorInfo> errors(GoogleJsonResponseException e) {
    return e.getDetails() == null || e.getDetails().getErrors() == null
        ? List.of()
        : e.getDetails().getErrors();
  }

  private static String words(GoogleJsonResponseException e) {
    return e.getDetails() == null || e.getDetails().getMessage() == null
        ? "it answers " + e.getStatusCode()
        : e.getDetails().getMessage();
  }

  private synchronized Bigquery service() throws IOException {
    Bigquery open = service;
    if (open == null) {
      HttpRequestInitializer credentials =
          address.access().isTls()
              ? new HttpCredentialsAdapter(
                  GoogleCredentials.getApplicationDefault().createScoped(BigqueryScopes.all()))
              : request -> {};
      open =
          new Bigquery.Builder(
                  new NetHttpTransport(),
                  GsonFactory.getDefaultInstance(),
                  request -> {
                    credentials.initialize(request);
                    request.setConnectTimeout(
                        (int) address.access().timeouts().connect().toMillis());
                    request.setReadTimeout((int) address.access().timeouts().reply().toMillis());
                  })
              .setApplicationName("tailrace")
              .setRootUrl(address.access().endpoint() + "/")
              .build();
      service = open;
    }
    return open;
  }

  @Override
  public String toString() {
    return address.text();
  }
}

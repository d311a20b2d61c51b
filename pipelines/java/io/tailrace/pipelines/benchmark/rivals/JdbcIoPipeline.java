package io.tailrace.pipelines.benchmark.rivals;

import io.tailrace.bus.Buses;
import io.tailrace.endpoint.Micros;
import io.tailrace.offline.DecodeObservationFiles;
import io.tailrace.parquet.ObservationFile;
import io.tailrace.parquet.ObservationRows;
import io.tailrace.parquet.TableNames;
import io.tailrace.pipelines.benchmark.BenchmarkTraffic;
import io.tailrace.pipelines.local.servers.LocalPostgres;
import io.tailrace.result.ValueType;
import java.io.IOException;
import java.io.Serializable;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.LongAdder;
import javax.sql.DataSource;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.PipelineResult;
import org.apache.beam.sdk.coders.SerializableCoder;
import org.apache.beam.sdk.io.jdbc.JdbcIO;
import org.apache.beam.sdk.options.PipelineOptionsFactory;
import org.apache.beam.sdk.transforms.DoFn;
import org.apache.beam.sdk.transforms.ParDo;
import org.apache.beam.sdk.transforms.SerializableFunction;
import org.apache.beam.sdk.values.PCollection;
import org.apache.beam.sdk.values.PCollectionTuple;
import org.apache.beam.sdk.values.TupleTag;
import org.apache.beam.sdk.values.TupleTagList;
import org.postgresql.ds.PGSimpleDataSource;

/**
 * What Beam has out of the box: {@code JdbcIO.write} into PostgreSQL, one for each feature's table,
 * with the driver's rewriting of batches, which makes it several times faster.
 */
public final class JdbcIoPipeline {
  private JdbcIoPipeline() {}

  /** Rows that have been handed to the driver; everything runs in this JVM. */
  public static final LongAdder DONE = new LongAdder();

  /** A row of a feature's table. */
  private record Row(
      UUID id,
      String key,
      boolean integer,
      long integerValue,
      double floatValue,
      long observedAt,
      String resolver,
      String deployment,
      String operation)
      implements Serializable {
    private static final long serialVersionUID = 1;
  }

  /**
   * Writes the features of {@link BenchmarkTraffic#feature} into tables that exist.
   *
   * @param bus with the files
   * @param postgres the server
   */
  public static PipelineResult start(String bus, LocalPostgres postgres, String... args) {
    Pipeline pipeline =
        Pipeline.create(PipelineOptionsFactory.fromArgs(args).withValidation().create());
    List<TupleTag<Row>> features = new ArrayList<>();
    List<String> names = new ArrayList<>();
    TupleTagList others = TupleTagList.empty();
    for (int i = 0; i < BenchmarkTraffic.FEATURES; i++) {
      TupleTag<Row> tag = new TupleTag<>("feature" + i) {};
      features.add(tag);
      names.add(BenchmarkTraffic.feature(i));
      if (i > 0) {
        others = others.and(tag);
      }
    }
    PCollectionTuple rows =
        pipeline
            .apply("Read", Buses.at(bus).read("jdbc-io"))
            .apply("Decode", DecodeObservationFiles.forWriter("jdbc-io").ofEnvironments(Set.of()))
            .output()
            .apply(
                "Rows",
                ParDo.of(new RowsFn(names, features)).withOutputTags(features.get(0), others));
    PostgresSource source = new PostgresSource(postgres.port(), postgres.passwordFile().toString());
    for (int i = 0; i < BenchmarkTraffic.FEATURES; i++) {
      PCollection<Row> ofFeature =
          rows.get(features.get(i)).setCoder(SerializableCoder.of(Row.class));
      ofFeature.apply(
          "Write" + i,
          JdbcIO.<Row>write()
              .withDataSourceProviderFn(source)
              .withStatement(
                  "INSERT INTO tailrace."
                      + TableNames.ofFeature(names.get(i))
                      + "(observation_id, pkey, value, observed_at, resolver_fqn, deployment_id,"
                      + " operation_id, deleted) VALUES (?, ?, ?, ?, ?, ?, ?, false)"
                      + " ON CONFLICT DO NOTHING")
              .withPreparedStatementSetter(JdbcIoPipeline::set));
    }
    return pipeline.run();
  }

  private static void set(Row row, PreparedStatement statement) throws SQLException {
    statement.setObject(1, row.id);
    statement.setString(2, row.key);
    if (row.integer) {
      statement.setLong(3, row.integerValue);
    } else {
      statement.setDouble(3, row.floatValue);
    }
    statement.setObject(4, Micros.instant(row.observedAt).atOffset(ZoneOffset.UTC));
    statement.setString(5, row.resolver);
    statement.setString(6, row.deployment);
    statement.setString(7, row.operation);
    DONE.increment();
  }

  /** Reads the password where it is needed: it is in no pipeline. */
  private static final class PostgresSource implements SerializableFunction<Void, DataSource> {
    private static final long serialVersionUID = 1;

    private final int port;
    private final String passwordFile;

    PostgresSource(int port, String passwordFile) {
      this.port = port;
      this.passwordFile = passwordFile;
    }

    @Override
    public DataSource apply(Void unused) {
      PGSimpleDataSource source = new PGSimpleDataSource();
      source.setPortNumbers(new int[] {port});
      source.setDatabaseName("postgres");
      source.setUser("tailrace");
      // Without it the driver sends a statement for each row.
      source.setReWriteBatchedInserts(true);
      try {
        source.setPassword(Files.readString(Path.of(passwordFile)));
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
      return source;
    }
  }

  private static final class RowsFn extends DoFn<ObservationFile, Row> {
    private static final long serialVersionUID = 1;

    private final List<String> names;
    private final List<TupleTag<Row>> tags;

    RowsFn(List<String> names, List<TupleTag<Row>> tags) {
      this.names = names;
      this.tags = tags;
    }

    @ProcessElement
    public void rows(@Element ObservationFile file, MultiOutputReceiver out) throws IOException {
      if (file.kind() != ObservationFile.Kind.OBSERVATIONS) {
        return;
      }
      boolean integer = file.valueType().equals(Optional.of(ValueType.INT64));
      ObservationRows rows = file.rows();
      for (int row = 0; row < rows.count(); row++) {
        ByteBuffer id = rows.id(row);
        out.get(tags.get(names.indexOf(rows.feature(row))))
            .output(
                new Row(
                    new UUID(id.getLong(), id.getLong()),
                    text(rows.stringKey(row)),
                    integer,
                    integer ? rows.number(row) : 0,
                    integer ? 0 : rows.float64(row),
                    rows.observedAt(row),
                    text(rows.resolverFqn(row)),
                    text(rows.deploymentId(row)),
                    text(rows.operationId(row))));
      }
    }

    private static String text(byte[] utf8) {
      return new String(utf8, StandardCharsets.UTF_8);
    }
  }
}

package io.tailrace.pipelines.dataflow;

import com.google.api.services.dataflow.model.DataflowPackage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.beam.runners.dataflow.options.DataflowPipelineOptions;
import org.apache.beam.runners.dataflow.util.PackageUtil.StagedFile;
import org.apache.beam.runners.dataflow.util.Stager;
import org.apache.beam.sdk.options.PipelineOptions;

/**
 * Takes the place of the bucket that a job's files are uploaded to: says that they are there, and
 * keeps those that are made for the job, such as the pipeline itself, beside the job's file.
 */
public final class FakeStager implements Stager {
  private final String bucket;
  private final Path directory;

  private FakeStager(String bucket, Path directory) {
    this.bucket = bucket;
    this.directory = directory;
  }

  /** Called by Beam. */
  public static FakeStager fromOptions(PipelineOptions options) {
    DataflowPipelineOptions dataflow = options.as(DataflowPipelineOptions.class);
    return new FakeStager(
        dataflow.getStagingLocation(), Path.of(dataflow.getTemplateLocation() + ".staged"));
  }

  @Override
  public List<DataflowPackage> stageFiles(List<StagedFile> files) {
    return files.stream().map(file -> staged(file.getDestination())).toList();
  }

  @Override
  public DataflowPackage stageToFile(byte[] bytes, String name) {
    try {
      Files.createDirectories(directory);
      Files.write(directory.resolve(name), bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return staged(name);
  }

  private DataflowPackage staged(String name) {
    return new DataflowPackage().setName(name).setLocation(bucket + "/" + name);
  }
}

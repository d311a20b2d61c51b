package io.tailrace.pipelines;

import io.tailrace.bus.BusMessage;
import io.tailrace.stage.Failure;
import java.util.List;
import java.util.Set;
import org.apache.beam.sdk.Pipeline;
import org.apache.beam.sdk.transforms.PTransform;
import org.apache.beam.sdk.values.PBegin;
import org.apache.beam.sdk.values.PCollection;

/**
 * What every writer's pipeline begins with.
 *
 * @param pipeline to be built
 * @param source reads the writer's bus, in the group
 * @param group the writer's consumer group
 * @param environments to serve; empty: all
 * @param failures takes every stage's failures, which become the writer's dead letters
 */
public record WriterStart(
    Pipeline pipeline,
    PTransform<PBegin, PCollection<BusMessage>> source,
    String group,
    Set<String> environments,
    List<PCollection<Failure>> failures) {}

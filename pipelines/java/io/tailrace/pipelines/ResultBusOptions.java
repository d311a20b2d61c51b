package io.tailrace.pipelines;

import org.apache.beam.sdk.options.Description;
import org.jspecify.annotations.Nullable;

/** The option of every writer that reads query results. */
public interface ResultBusOptions extends WriterOptions {
  @Description("The bus with query results.")
  @Nullable String getResultBus();

  void setResultBus(@Nullable String uri);
}

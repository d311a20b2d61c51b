package io.tailrace.pipelines;

import java.beans.Introspector;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.beam.sdk.options.PipelineOptions;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Gives a command that is no pipeline Beam's options of buckets, such as {@code --endpoint}: those
 * that a writer which uses the same bucket has, by the same names. They are not listed in its help,
 * as they are many. What is given is kept where {@link #given} finds it. Stateless and thread-safe.
 */
public final class BucketOptions implements IModelTransformer {
  /** Of those who may be absent from a build. */
  private static final List<String> OPTIONS =
      List.of(
          "org.apache.beam.sdk.io.aws2.options.AwsOptions",
          "org.apache.beam.sdk.io.aws2.options.S3Options",
          "org.apache.beam.sdk.extensions.gcp.options.GcpOptions",
          "org.apache.beam.sdk.extensions.gcp.options.GcsOptions",
          "org.apache.beam.sdk.extensions.gcp.options.GoogleApiDebugOptions");

  /** Made by picocli. */
  public BucketOptions() {}

  @Override
  public CommandSpec transform(CommandSpec command) {
    for (Map.Entry<String, Class<?>> each : types().entrySet()) {
      String name = "--" + each.getKey();
      if (command.findOption(name) == null) {
        command.addOption(option(name, each.getValue()));
      }
    }
    return command;
  }

  private static OptionSpec option(String name, Class<?> type) {
    OptionSpec.Builder option = OptionSpec.builder(name).hidden(true).type(String[].class);
    return (type == boolean.class || type == Boolean.class
            ? option.arity("0..1").fallbackValue("true")
            : option.arity("1"))
        .build();
  }

  /** Returns the options of a command that were given, as arguments for Beam. */
  public static String[] given(CommandSpec command) {
    List<String> arguments = new ArrayList<>();
    for (String property : types().keySet()) {
      OptionSpec option = command.findOption("--" + property);
      if (option != null && option.hidden() && option.getValue() instanceof String[] values) {
        for (String value : values) {
          arguments.add("--" + property + "=" + value);
        }
      }
    }
    return arguments.toArray(String[]::new);
  }

  /** Returns the types of options by their names. */
  private static Map<String, Class<?>> types() {
    Map<String, Class<?>> types = new TreeMap<>();
    for (String each : OPTIONS) {
      try {
        Class<?> options = Class.forName(each, false, BucketOptions.class.getClassLoader());
        for (Method method : options.asSubclass(PipelineOptions.class).getDeclaredMethods()) {
          if (method.getParameterCount() == 0 && method.getName().matches("(get|is)[A-Z].*")) {
            types.put(
                Introspector.decapitalize(method.getName().replaceFirst("^(get|is)", "")),
                method.getReturnType());
          }
        }
      } catch (ClassNotFoundException e) {
        // Then nothing is in such buckets either.
      }
    }
    return types;
  }
}

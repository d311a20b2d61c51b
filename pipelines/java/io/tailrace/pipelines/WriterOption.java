package io.tailrace.pipelines;

import io.tailrace.endpoint.Kinds;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.apache.beam.sdk.options.Default;
import org.apache.beam.sdk.options.Description;

/**
 * An option of a writer, as its annotations and its parser say it: what help, docs and templates
 * are made of. Immutable.
 *
 * @param fallback its default; empty if it has none, or says in words what is done without it
 * @param value what may be given
 * @param shown where a form shows it; empty: where its reader likes
 */
public record WriterOption(
    String name,
    String description,
    Optional<String> fallback,
    Value value,
    Optional<Shown> shown) {
  /**
   * What may be given for an option.
   *
   * @param kinds the kinds of bus or store that it may name, if it names one; then it must be given
   * @param form how its text is written, where not every text is right
   * @param isSwitch whether it is true or false
   */
  public record Value(Optional<Kinds<?>> kinds, Optional<TextForm<?>> form, boolean isSwitch) {}

  /** Returns a writer's options, beside those of Beam and of the runner, by name. */
  public static List<WriterOption> of(Writer<?> writer) {
    OptionCheck looked = writer.lookAtDefaults();
    return Arrays.stream(writer.options().getMethods())
        .filter(method -> WriterOptions.class.isAssignableFrom(method.getDeclaringClass()))
        .filter(method -> method.isAnnotationPresent(Description.class))
        .map(method -> of(method, looked))
        .sorted(Comparator.comparing(WriterOption::name))
        .toList();
  }

  private static WriterOption of(Method getter, OptionCheck looked) {
    String name = getter.getName().replaceFirst("^(get|is)", "");
    name = Character.toLowerCase(name.charAt(0)) + name.substring(1);
    return new WriterOption(
        name,
        getter.getAnnotation(Description.class).value(),
        Optional.ofNullable(getter.getAnnotation(Default.String.class)).map(Default.String::value),
        new Value(
            Optional.ofNullable(looked.endpoints().get(name)),
            Optional.ofNullable(looked.forms().get(name)),
            getter.getReturnType() == boolean.class),
        Optional.ofNullable(getter.getAnnotation(Shown.class)));
  }

  /** Returns the kinds of bus or store that it may name, if it names one. */
  public Optional<Kinds<?>> kinds() {
    return value.kinds();
  }
}

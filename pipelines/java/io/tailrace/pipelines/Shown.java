package io.tailrace.pipelines;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Where a form shows an option: beside its {@code Description}, on the getter. */
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Shown {
  /** The heading that it is under. */
  String under();

  /** Another option's choice without which it does nothing: {@code name=value}; empty: none. */
  String onlyWith() default "";
}

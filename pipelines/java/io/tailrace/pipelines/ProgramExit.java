package io.tailrace.pipelines;

/** Ends a program with an exit code, in a way that fits the JVM that it runs in. */
final class ProgramExit {
  /** Who calls a program in a JobManager, and for {@code flink run}. */
  private static final String LAUNCHER = "org.apache.flink.client.program.PackagedProgram";

  private ProgramExit() {}

  /**
   * Ends the JVM. Where Flink has called the program, the JVM is a JobManager's, which has to tell
   * others of the job, and may have more of them: there success is to return, and all else an
   * exception.
   */
  static void with(int status) {
    if (!isCalledByFlink()) {
      System.exit(status);
    }
    if (status != 0) {
      throw new IllegalStateException(
          "The program has failed with " + status + "; what it has printed says why");
    }
  }

  /** Returns whether Flink has called the program, in whose JVM it runs. */
  static boolean isCalledByFlink() {
    return StackWalker.getInstance()
        .walk(frames -> frames.anyMatch(frame -> frame.getClassName().equals(LAUNCHER)));
  }
}

package io.tailrace.pipelines.deadletter;

import io.tailrace.pipelines.CommandException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/** Asks a person before something is done. */
final class Confirmation {
  private final InputStream answers;

  Confirmation(InputStream answers) {
    this.answers = answers;
  }

  /** Returns whether the answer to a question is yes. */
  boolean isGiven(PrintWriter out, String question) throws CommandException {
    out.print(question + " [y/N] ");
    out.flush();
    try {
      String answer =
          new BufferedReader(new InputStreamReader(answers, StandardCharsets.UTF_8)).readLine();
      if (answer == null) {
        throw new CommandException("Nobody answers; --yes goes on without asking");
      }
      return answer.strip().toLowerCase(Locale.ROOT).matches("y|yes");
    } catch (IOException e) {
      throw new CommandException("Standard input can't be read: " + e.getMessage(), e);
    }
  }
}

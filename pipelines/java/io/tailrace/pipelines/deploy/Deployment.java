package io.tailrace.pipelines.deploy;

import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * Writers as they are to run in a cluster. Immutable.
 *
 * @param shared what they have in common
 * @param writers each of them, in the order of the file
 * @param notes what was not taken as it stands, and why, in a sentence each
 */
record Deployment(Shared shared, List<WriterDeployment> writers, List<String> notes) {
  /** Where all of them run, if a file doesn't say. */
  static final String NAMESPACE = "background-persistence";

  /** Copies the lists. */
  Deployment {
    writers = List.copyOf(writers);
    notes = List.copyOf(notes);
  }

  /**
   * What all writers of a cluster have in common.
   *
   * @param account whom they are
   * @param state where their checkpoints and savepoints are
   * @param secret the name of the Secret whose keys they get as variables and as files; empty: none
   * @param authentication the name of a TriggerAuthentication for scalers; empty: one is made where
   *     it is needed
   */
  record Shared(
      String namespace,
      Account account,
      State state,
      Optional<String> secret,
      Optional<String> authentication) {}

  /** Whom writers are: a service account, and what a cloud knows it by. */
  record Account(String name, Map<String, String> annotations) {
    /** Puts the map in order. */
    Account {
      annotations = Collections.unmodifiableMap(new TreeMap<>(annotations));
    }
  }

  /**
   * Where state is.
   *
   * @param directory {@code s3://bucket/prefix}, {@code gs://bucket/prefix} or {@code
   *     file:///directory}
   * @param claim the PersistentVolumeClaim of such a directory; empty for a bucket
   * @param size how large a claim is to be made; empty: it is there
   */
  record State(String directory, Optional<String> claim, Optional<Quantity> size) {
    /** Returns the path of a directory that is a volume. */
    String path() {
      return directory.replaceFirst("^file://", "");
    }
  }
}

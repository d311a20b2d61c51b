package io.tailrace.pipelines.deploy.dataflow;

import io.tailrace.pipelines.Writer;
import java.util.List;

/**
 * What Google's Cloud Build does to stage the templates: an image for each writer into a
 * repository, then the container specifications into a bucket. Stateless.
 */
final class CloudBuild {
  /** The name of its file. */
  static final String FILE = "cloudbuild.yaml";

  private static final String BEGIN =
      """
      # Builds and pushes the image of every writer, and then puts the templates into a bucket.
      # Made by: deploy flex-template --output=templates/dataflow
      substitutions:
        _REPOSITORY: europe-west1-docker.pkg.dev/my-project/tailrace
        _TEMPLATES: gs://my-bucket/templates
        _TAG: latest
      options:
        dynamicSubstitutions: true
      timeout: 3600s
      steps:
      """;

  /** Every image has the same layers but for a variable, so all but the first take seconds. */
  private static final String IMAGE =
      """
        - id: WRITER
          name: gcr.io/cloud-builders/docker
          entrypoint: bash
          args:
            - -c
            - >-
              docker build --file=templates/dataflow/Dockerfile
              --build-arg=MAIN_CLASS=PROGRAM
              --tag=${_REPOSITORY}/WRITER:${_TAG} .
              && docker push ${_REPOSITORY}/WRITER:${_TAG}
      """;

  private static final String END =
      """
        - id: container-specs
          name: eclipse-temurin:17-jre
          entrypoint: java
          args:
            - -jar
            - target/tailrace-bundled.jar
            - deploy
            - flex-template
            - --repository=${_REPOSITORY}
            - --tag=${_TAG}
            - --output=target/flex-templates
        - id: templates
          name: gcr.io/google.com/cloudsdktool/cloud-sdk:slim
          entrypoint: gcloud
          args:
            - storage
            - rsync
            - --recursive
            - target/flex-templates
            - ${_TEMPLATES}
      """;

  private CloudBuild() {}

  /** Returns the text of its file. */
  static String text(List<Writer<?>> writers) {
    StringBuilder text = new StringBuilder(BEGIN);
    for (Writer<?> writer : writers) {
      text.append(
          IMAGE.replace("WRITER", writer.name()).replace("PROGRAM", writer.program().getName()));
    }
    return text.append(END).toString();
  }
}

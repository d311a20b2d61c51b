package io.tailrace.pipelines.local.servers;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.jar.JarFile;
import java.util.jar.Manifest;
import java.util.stream.Collectors;

/** The command that starts a JVM with the class path, and the opened packages, of this one. */
public final class JavaCommand {
  private JavaCommand() {}

  /**
   * Returns the command, to which the program's arguments are added.
   *
   * @param flags of the JVM
   * @param main the program's main class
   * @throws UncheckedIOException if this JVM's jar can't be read
   */
  public static List<String> of(List<String> flags, String main) {
    // Absolute: the process may work in a directory of its own.
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .map(entry -> Path.of(entry).toAbsolutePath().toString())
            .collect(Collectors.joining(File.pathSeparator));
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(flags);
    command.addAll(opened(classPath));
    command.addAll(List.of("-cp", classPath, main));
    return command;
  }

  /** Given on this JVM's command line, or by the manifest of the jar that it runs. */
  private static List<String> opened(String classPath) {
    List<String> given =
        ManagementFactory.getRuntimeMXBean().getInputArguments().stream()
            .filter(argument -> argument.startsWith("--add-opens"))
            .toList();
    if (!given.isEmpty() || classPath.contains(File.pathSeparator)) {
      return given;
    }
    try (JarFile jar = new JarFile(classPath)) {
      Manifest manifest = jar.getManifest();
      String packages =
          manifest == null ? null : manifest.getMainAttributes().getValue("Add-Opens");
      return packages == null
          ? List.of()
          : Arrays.stream(packages.strip().split("\\s+"))
              .map(each -> "--add-opens=" + each + "=ALL-UNNAMED")
              .toList();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + classPath, e);
    }
  }
}

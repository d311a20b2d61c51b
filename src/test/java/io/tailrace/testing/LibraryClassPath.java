package io.tailrace.testing;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;

/**
 * What somebody gets who depends on the library: its direct dependencies that are not optional, and
 * whatever those bring. Profiles count: a Maven that reads the library's POM activates them, too.
 *
 * <p>Reads {@code pom.xml} and the graph of all dependencies that the build has written.
 */
public final class LibraryClassPath {
  private static final Pattern EDGE = Pattern.compile("\"\\(?([^\" ]+).*?\" -> \"\\(?([^\" ]+).*");

  private final Map<String, Boolean> optionalByDirect = new TreeMap<>();
  private final Map<String, Set<String>> brings = new LinkedHashMap<>();

  private LibraryClassPath() {}

  /** Reads the two files. */
  public static LibraryClassPath read() throws Exception {
    LibraryClassPath path = new LibraryClassPath();
    NodeList dependencies =
        DocumentBuilderFactory.newInstance()
            .newDocumentBuilder()
            .parse(new File("pom.xml"))
            .getElementsByTagName("dependency");
    for (int i = 0; i < dependencies.getLength(); i++) {
      Element dependency = (Element) dependencies.item(i);
      String around = dependency.getParentNode().getParentNode().getNodeName();
      // Those of a plugin are the build's.
      if (!around.equals("dependencyManagement")
          && !around.equals("plugin")
          && !text(dependency, "scope").equals("test")) {
        path.optionalByDirect.put(
            text(dependency, "groupId") + ":" + text(dependency, "artifactId"),
            text(dependency, "optional").equals("true"));
      }
    }
    Path graph =
        Path.of(System.getProperty("tailrace.test.dependencies", "target/dependencies.dot"));
    for (String line : Files.readAllLines(graph)) {
      Matcher edge = EDGE.matcher(line);
      if (edge.find()) {
        path.brings
            .computeIfAbsent(artifact(edge.group(1)), any -> new TreeSet<>())
            .add(artifact(edge.group(2)));
      }
    }
    return path;
  }

  private static String text(Element dependency, String name) {
    NodeList elements = dependency.getElementsByTagName(name);
    // Those of an exclusion follow.
    return elements.getLength() == 0 ? "" : elements.item(0).getTextContent().strip();
  }

  private static String artifact(String coordinates) {
    String[] parts = coordinates.split(":", -1);
    return parts[0] + ":" + parts[1];
  }

  /** Returns the direct dependencies that are not optional, as {@code group:artifact}. */
  public Set<String> direct() {
    return optionalByDirect.entrySet().stream()
        .filter(dependency -> !dependency.getValue())
        .map(Map.Entry::getKey)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /**
   * Returns all that is on the class path.
   *
   * @param added what depends on the library adds
   */
  public Set<String> all(String... added) {
    Set<String> reached = new TreeSet<>();
    Deque<String> open = new ArrayDeque<>(direct());
    open.addAll(List.of(added));
    while (!open.isEmpty()) {
      String next = open.remove();
      if (reached.add(next)) {
        open.addAll(brings.getOrDefault(next, Set.of()));
      }
    }
    return reached;
  }

  /** Returns the class path of somebody who adds some dependencies, without any of the tests. */
  public String files(String... added) throws IOException {
    Set<String> wanted = all(added);
    List<String> ours =
        List.of(System.getProperty("java.class.path").split(File.pathSeparator, -1));
    Stream<String> classes = ours.stream().filter(file -> file.endsWith("/classes"));
    Stream<String> jars =
        ours.stream()
            .filter(
                file -> {
                  // …/group/parts/artifact/version/artifact-version.jar
                  Path version = Path.of(file).getParent();
                  return file.endsWith(".jar")
                      && wanted.stream()
                          .anyMatch(
                              each ->
                                  version
                                      .getParent()
                                      .endsWith(
                                          Path.of(
                                              each.substring(0, each.indexOf(':'))
                                                  .replace('.', '/'),
                                              each.substring(each.indexOf(':') + 1))));
                });
    return Stream.concat(classes, jars).collect(Collectors.joining(File.pathSeparator));
  }
}

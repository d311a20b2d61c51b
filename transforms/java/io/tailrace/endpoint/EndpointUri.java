package io.tailrace.endpoint;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * The parts of a URI that names a bus or a store: {@code
 * scheme://host:port,host:port/path?name=value}.
 *
 * <p>Whoever maps it to a bus or store takes its parts out with the methods here; every part that
 * is wrong, missing or left over becomes a problem, and {@link #finish} throws one exception that
 * lists them all and shows a correct example. Not thread-safe.
 */
public final class EndpointUri {
  /** A host and a port. */
  public record Host(String name, int port) {
    @Override
    public String toString() {
      return name + ":" + port;
    }
  }

  /** A parameter: its value, and where that stands in the text. */
  private record Parameter(String value, int from, int to) {}

  /**
   * Something wrong, and where in the text its parameter is; before the text: with no single one.
   */
  private record Problem(int at, String sentence) {}

  /** Names of parameters that are secrets. */
  private static final Pattern SECRET =
      Pattern.compile("(?i).*(?:pass|pwd|secret|jaas).*", Pattern.DOTALL);

  /** Names of parameters that may be secrets, and are not shown. */
  private static final Pattern PERHAPS_SECRET =
      Pattern.compile("(?i).*(?:token|credential).*|.*key", Pattern.DOTALL);

  /** Settings that are named for one that is misspelt. */
  private static final int MAX_NEAREST = 3;

  private final String text;
  private final String scheme;
  private final String authority;
  private final String path;
  private final Map<String, Parameter> parameters = new LinkedHashMap<>();
  // The names that whoever maps the URI has asked for.
  private final Set<String> known = new LinkedHashSet<>();
  // The names of settings of a client library, which are too many to list.
  private final NavigableSet<String> settings = new TreeSet<>();
  // From where to where in the text something is that is not shown.
  private final NavigableMap<Integer, Integer> hidden = new TreeMap<>();
  private final List<Problem> problems = new ArrayList<>();
  // The parameter that is a secret where the name of one should be; empty: none, or said.
  private String refused = "";

  private EndpointUri(String text) {
    this.text = text;
    int colon = text.indexOf("://");
    scheme = colon < 0 ? "" : text.substring(0, colon).toLowerCase(Locale.ROOT);
    int begin = colon < 0 ? 0 : colon + 3;
    int hosts = begin + hostsStart(text.substring(begin));
    if (hosts > begin) {
      hidden.put(begin, hosts - 1);
    }
    int question = text.indexOf('?', hosts);
    int end = question < 0 ? text.length() : question;
    int slash = text.substring(0, end).indexOf('/', hosts);
    authority = text.substring(begin, slash < 0 ? end : slash);
    path = slash < 0 ? "" : text.substring(slash + 1, end);
    if (question >= 0) {
      parseParameters(question + 1);
    }
  }

  private void parseParameters(int start) {
    int from = start;
    while (from <= text.length() && refused.isEmpty()) {
      int to = text.indexOf('&', from);
      to = to < 0 ? text.length() : to;
      int equals = text.substring(0, to).indexOf('=', from);
      if (equals > from) {
        parseParameter(text.substring(from, equals), equals + 1, to);
      } else {
        if (to > from) {
          problem(
              from, "a parameter has no value: write name=value, and '&' within a value as %26");
        }
        // Not named: it may be the end of a secret with an '&' in it.
        Map.Entry<Integer, Integer> last = hidden.lastEntry();
        if (last != null && last.getValue() == from - 1) {
          hidden.put(last.getKey(), to);
        }
      }
      from = to + 1;
    }
  }

  private void parseParameter(String name, int from, int to) {
    Parameter parameter = new Parameter(decode(name, from, to), from, to);
    boolean isSecret = SECRET.matcher(name).matches();
    if (isSecret || PERHAPS_SECRET.matcher(name).matches()) {
      if (Secret.parse(parameter.value).isEmpty()) {
        if (isSecret) {
          refuse(name, parameter);
          return;
        }
        hidden.put(from, to);
      }
    }
    Parameter before = parameters.put(name, parameter);
    if (before != null) {
      hidden.put(before.from, before.to);
      problem(from, "parameter '" + name + "' is given twice");
    }
  }

  /** Looks at nothing behind a secret, and shows nothing of it: it may be the secret's rest. */
  private void refuse(String name, Parameter secret) {
    refused = name;
    parameters.values().removeIf(each -> each.from >= secret.from);
    problems.removeIf(each -> each.at >= secret.from);
    hidden.tailMap(secret.from, true).clear();
    hidden.put(secret.from, text.length());
  }

  /** Finds the end of a user part, in whose password people leave '/', '?' and '@' as they are. */
  private static int hostsStart(String rest) {
    int question = rest.indexOf('?');
    int at = question < 0 ? rest.lastIndexOf('@') : rest.lastIndexOf('@', question);
    if (at < 0 && question >= 0) {
      // An '@' behind the first '=' belongs to the value of a parameter.
      int equals = rest.indexOf('=', question);
      at = equals < 0 ? rest.lastIndexOf('@') : rest.lastIndexOf('@', equals);
    }
    return at + 1;
  }

  private String decode(String name, int from, int to) {
    String value = text.substring(from, to);
    try {
      // A plus is a plus here: nobody writes a form.
      return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      problem(from, "parameter '" + name + "' has a '%' that two hexadecimal digits should follow");
      return value;
    }
  }

  /** Takes a URI apart; what is wrong with it is said by {@link #finish}. */
  public static EndpointUri parse(String uri) {
    return new EndpointUri(uri.strip());
  }

  /** Returns the scheme in lower case; empty when there is none. */
  public String scheme() {
    return scheme;
  }

  /** Returns the hosts; a host without a port gets the default one. */
  public List<Host> hosts(int defaultPort) {
    List<Host> hosts = new ArrayList<>();
    String list = authority;
    int at = list.lastIndexOf('@');
    if (at >= 0) {
      problem(
          "user and password don't belong into a URI: use ?user=NAME&"
              + Secrets.examples("password="));
      list = list.substring(at + 1);
    }
    for (String host : list.split(",", -1)) {
      int colon = host.lastIndexOf(':');
      boolean bracketed = host.startsWith("[");
      if (bracketed ? !host.matches("\\[[^\\[\\]]+\\](:.*)?") : host.indexOf(':') != colon) {
        problem("'" + host + "' is not a host: write an IPv6 address as [::1]:" + defaultPort);
        continue;
      }
      boolean hasPort = bracketed ? host.contains("]:") : colon >= 0;
      String name = hasPort ? host.substring(0, colon) : host;
      if (name.isEmpty()) {
        problem("a host is missing");
        continue;
      }
      hosts.add(new Host(name, hasPort ? port(host.substring(colon + 1), host) : defaultPort));
    }
    return hosts;
  }

  private int port(String digits, String host) {
    try {
      int port = Integer.parseInt(digits);
      if (port > 0 && port < 65_536) {
        return port;
      }
    } catch (NumberFormatException e) {
      // Said below, as for a number that is out of range.
    }
    problem("'" + host + "' has no port between 1 and 65535");
    return 0;
  }

  /** Returns the path without its first slash; empty when there is none. */
  public String path() {
    return path;
  }

  /** Takes a parameter out. */
  public Optional<String> take(String name) {
    known.add(name);
    return Optional.ofNullable(parameters.remove(name)).map(Parameter::value);
  }

  /** Takes a whole number out. */
  public Optional<Integer> takeInt(String name, int min, int max) {
    return take(name)
        .flatMap(
            value -> {
              try {
                int number = Integer.parseInt(value);
                if (number >= min && number <= max) {
                  return Optional.of(number);
                }
              } catch (NumberFormatException e) {
                // Said below, as for a number that is out of range.
              }
              problem(name + "=" + value + " is not a whole number between " + min + " and " + max);
              return Optional.empty();
            });
  }

  /** Takes a duration out, as {@link Durations#parse} has it. */
  public Optional<Duration> takeDuration(String name) {
    return takeDuration(name, Durations::parse);
  }

  /** Takes a duration out that may be zero, as {@link Durations#parseOrZero} has it. */
  public Optional<Duration> takeDurationOrZero(String name) {
    return takeDuration(name, Durations::parseOrZero);
  }

  private Optional<Duration> takeDuration(String name, Function<String, Duration> parser) {
    return take(name)
        .flatMap(
            value -> {
              try {
                return Optional.of(parser.apply(value));
              } catch (IllegalArgumentException e) {
                problem(name + "=" + e.getMessage());
                return Optional.empty();
              }
            });
  }

  /** Takes the place of a secret out; a secret itself is a problem. */
  public Optional<Secret> takeSecret(String name) {
    known.add(name);
    Parameter parameter = parameters.remove(name);
    Optional<Secret> secret = parameter == null ? Optional.empty() : Secret.parse(parameter.value);
    if (parameter != null && secret.isEmpty()) {
      refuse(name, parameter);
    }
    if (name.equals(refused)) {
      sayRefused();
    }
    return secret;
  }

  private void sayRefused() {
    problem(
        refused
            + " must say where the secret is, "
            + Secrets.examples("")
            + ", not what it is"
            + (text.indexOf('&', hidden.lastKey()) < 0 ? "" : "; nothing behind it was looked at"));
    refused = "";
  }

  /**
   * Takes all parameters out whose names contain a dot and are among those given: settings of a
   * client library, under its own names.
   */
  public Map<String, String> takeDotted(Set<String> names) {
    settings.addAll(names);
    Map<String, String> dotted = new LinkedHashMap<>();
    parameters.forEach(
        (name, parameter) -> {
          if (name.contains(".") && names.contains(name)) {
            dotted.put(name, parameter.value);
          }
        });
    parameters.keySet().removeAll(dotted.keySet());
    return dotted;
  }

  /** Returns the names of all parameters that were asked for: those that its kind has. */
  public Set<String> known() {
    return Set.copyOf(known);
  }

  /** Adds a problem that the caller found. */
  public void problem(String problem) {
    problem(-1, problem);
  }

  private void problem(int at, String sentence) {
    problems.add(new Problem(at, sentence));
  }

  /**
   * Ends the mapping.
   *
   * @param example a correct URI of this kind
   * @throws IllegalArgumentException if anything was wrong, missing or left over
   */
  public void finish(String example) {
    List<String> unknown = new ArrayList<>(parameters.keySet());
    if (!refused.isEmpty()) {
      if (known.contains(refused)) {
        sayRefused();
      } else {
        unknown.add(refused);
      }
    }
    List<String> all = new ArrayList<>(problems.stream().map(Problem::sentence).toList());
    // Perhaps a secret whose name is misspelt.
    parameters.values().forEach(each -> hidden.merge(each.from, each.to, Math::max));
    unknown.forEach(name -> all.add("parameter '" + name + "' is unknown" + nearest(name)));
    List<String> names = known.stream().filter(name -> !name.contains(".")).toList();
    if (!unknown.isEmpty() && !names.isEmpty()) {
      all.add("known are " + String.join(", ", names));
    }
    if (!all.isEmpty()) {
      throw new IllegalArgumentException(
          "'" + withoutSecrets() + "': " + String.join("; ", all) + ". Example: " + example);
    }
  }

  /** Names the settings that begin as a misspelt one does. */
  private String nearest(String name) {
    for (int length = name.length(); length > name.indexOf('.') && length > 0; length--) {
      String begin = name.substring(0, length);
      List<String> near =
          settings.tailSet(begin, true).stream()
              .takeWhile(setting -> setting.startsWith(begin))
              .limit(MAX_NEAREST)
              .toList();
      if (!near.isEmpty()) {
        return " (" + String.join(" or ", near) + "?)";
      }
    }
    return "";
  }

  /**
   * Returns the URI as it may be shown: without a user part and without values of parameters that
   * may be secrets; where a secret itself was found, without anything behind it.
   */
  public String withoutSecrets() {
    StringBuilder shown = new StringBuilder();
    int shownTo = 0;
    for (Map.Entry<Integer, Integer> each : hidden.entrySet()) {
      shown.append(text, shownTo, each.getKey()).append("***");
      shownTo = each.getValue();
    }
    return shown.append(text, shownTo, text.length()).toString();
  }

  @Override
  public String toString() {
    return withoutSecrets();
  }
}

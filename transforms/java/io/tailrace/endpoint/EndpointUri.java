package io.tailrace.endpoint;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
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

  /**
   * A parameter that may be a secret and does not say where one is, with what follows it if that is
   * no parameter but the rest of a secret that has an '&' in it.
   */
  private static final Pattern SECRET_PARAMETER =
      Pattern.compile(
          "(?i)([?&](?:[^=&]*(?:pass|pwd|secret|jaas|token|credential)[^=&]*|[^=&]*key)=)"
              + "(?!(?:env|file)(?::|%3A))[^&]*(?:&[^=&]*(?=&|$))*");

  private final String text;
  private final String scheme;
  private final String authority;
  private final String path;
  private final Map<String, String> parameters = new LinkedHashMap<>();
  private final List<String> problems = new ArrayList<>();

  private EndpointUri(String text) {
    this.text = text;
    int colon = text.indexOf("://");
    scheme = colon < 0 ? "" : text.substring(0, colon).toLowerCase(Locale.ROOT);
    String rest = colon < 0 ? text : text.substring(colon + 3);
    int hosts = hostsStart(rest);
    int question = rest.indexOf('?', hosts);
    String query = question < 0 ? "" : rest.substring(question + 1);
    rest = question < 0 ? rest : rest.substring(0, question);
    int slash = rest.indexOf('/', hosts);
    authority = slash < 0 ? rest : rest.substring(0, slash);
    path = slash < 0 ? "" : rest.substring(slash + 1);
    for (String pair : query.split("&", -1)) {
      if (pair.isEmpty()) {
        continue;
      }
      int equals = pair.indexOf('=');
      if (equals <= 0) {
        // Not named: it may be the end of a password with an '&' in it.
        problems.add("a parameter has no value: write name=value, and '&' within a value as %26");
        continue;
      }
      String name = pair.substring(0, equals);
      if (parameters.put(name, decode(name, pair.substring(equals + 1))) != null) {
        problems.add("parameter '" + name + "' is given twice");
      }
    }
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

  private String decode(String name, String value) {
    try {
      // A plus is a plus here: nobody writes a form.
      return URLDecoder.decode(value.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException e) {
      problems.add("parameter '" + name + "' has a '%' that two hexadecimal digits should follow");
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
      problems.add(
          "user and password don't belong into a URI: use ?user=NAME&password=env:VARIABLE or"
              + " password=file:PATH");
      list = list.substring(at + 1);
    }
    for (String host : list.split(",", -1)) {
      int colon = host.lastIndexOf(':');
      boolean bracketed = host.startsWith("[");
      if (bracketed ? !host.matches("\\[[^\\[\\]]+\\](:.*)?") : host.indexOf(':') != colon) {
        problems.add("'" + host + "' is not a host: write an IPv6 address as [::1]:" + defaultPort);
        continue;
      }
      boolean hasPort = bracketed ? host.contains("]:") : colon >= 0;
      String name = hasPort ? host.substring(0, colon) : host;
      if (name.isEmpty()) {
        problems.add("a host is missing");
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
    problems.add("'" + host + "' has no port between 1 and 65535");
    return 0;
  }

  /** Returns the path without its first slash; empty when there is none. */
  public String path() {
    return path;
  }

  /** Takes a parameter out. */
  public Optional<String> take(String name) {
    return Optional.ofNullable(parameters.remove(name));
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
              problems.add(
                  name + "=" + value + " is not a whole number between " + min + " and " + max);
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
                problems.add(name + "=" + e.getMessage());
                return Optional.empty();
              }
            });
  }

  /** Takes the place of a secret out; a secret itself is a problem. */
  public Optional<Secret> takeSecret(String name) {
    return take(name)
        .flatMap(
            value -> {
              Optional<Secret> secret = Secret.parse(value);
              if (secret.isEmpty()) {
                problems.add(
                    name
                        + " must say where the secret is, env:VARIABLE or file:PATH, not what it is");
              }
              return secret;
            });
  }

  /**
   * Takes all parameters out whose names contain a dot: settings of the client library, under its
   * names.
   */
  public Map<String, String> takeDotted() {
    Map<String, String> dotted = new LinkedHashMap<>();
    parameters.forEach(
        (name, value) -> {
          if (name.contains(".")) {
            dotted.put(name, value);
          }
        });
    parameters.keySet().removeAll(dotted.keySet());
    return dotted;
  }

  /** Adds a problem that the caller found. */
  public void problem(String problem) {
    problems.add(problem);
  }

  /**
   * Ends the mapping.
   *
   * @param example a correct URI of this kind
   * @throws IllegalArgumentException if anything was wrong, missing or left over
   */
  public void finish(String example) {
    List<String> all = new ArrayList<>(problems);
    for (String left : parameters.keySet()) {
      all.add("parameter '" + left + "' is unknown");
    }
    if (!all.isEmpty()) {
      throw new IllegalArgumentException(
          "'" + withoutSecrets() + "': " + String.join("; ", all) + ". Example: " + example);
    }
  }

  /**
   * Returns the URI as it may be shown: without a user part and without values of secret
   * parameters.
   */
  public String withoutSecrets() {
    int rest = text.indexOf("://") < 0 ? 0 : text.indexOf("://") + 3;
    int hosts = rest + hostsStart(text.substring(rest));
    String shown = hosts == rest ? text : text.substring(0, rest) + "***@" + text.substring(hosts);
    return SECRET_PARAMETER.matcher(shown).replaceAll("$1***");
  }

  @Override
  public String toString() {
    return withoutSecrets();
  }
}

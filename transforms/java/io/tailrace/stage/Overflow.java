package io.tailrace.stage;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.tailrace.bus.BusMessage;
import io.tailrace.bus.Header;
import io.tailrace.bus.Headers;
import io.tailrace.bus.OutgoingMessage;
import io.tailrace.endpoint.UnavailableException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import org.apache.beam.sdk.io.FileSystems;
import org.apache.beam.sdk.io.fs.EmptyMatchTreatment;
import org.apache.beam.sdk.io.fs.MatchResult;
import org.apache.beam.sdk.io.fs.MoveOptions.StandardMoveOptions;
import org.apache.beam.sdk.io.fs.ResolveOptions.StandardResolveOptions;
import org.apache.beam.sdk.io.fs.ResourceId;
import org.apache.beam.sdk.util.MimeTypes;
import org.jspecify.annotations.Nullable;

/**
 * A directory for what is too large for the dead-letter topic: a file for each message, in which is
 * what its letter has not. A file that ends in {@code .value} holds the value alone, as it was; one
 * that ends in {@code .json} an object with those of {@code headers} (name and value of each),
 * {@code key} and {@code value} that the letter has not, bytes in base64, null where the message
 * had none.
 *
 * <p>The name of a file begins with the topic and is made of the bus, the topic's id, the place and
 * the content of the message, and of who refused it: a letter that is written again has the same
 * file, and no other letter has it, so that it can go when its letter is settled. Immutable and
 * serializable.
 */
public final class Overflow implements Serializable {
  private static final long serialVersionUID = 1;

  /** Longer ones would be no address in a letter, with the longest name behind them. */
  private static final int MAX_DIRECTORY_BYTES = 600;

  /** A name may have 255 characters, and a topic of Kafka nearly as many. */
  private static final int MAX_TOPIC_CHARS = 80;

  private static final Pattern UNSAFE = Pattern.compile("[^A-Za-z0-9._-]");

  /** Enough of SHA-256 for no two ever to have the same. */
  private static final int HASH_DIGITS = 32;

  private static final String VALUE = ".value";
  private static final String JSON_FILE = ".json";

  /** Of the files that are written here. */
  private static final Pattern NAME =
      Pattern.compile("[A-Za-z0-9._-]+-[0-9a-f]{32}\\.(value|json)");

  /** A value may be as long as a message. */
  private static final JsonFactory JSON =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  /** A part of a message. */
  enum Part {
    HEADERS,
    KEY,
    VALUE
  }

  /**
   * Whose letter of a message it is that has a file.
   *
   * @param stage the stage of the writer that refused the message
   * @param bus the bus that it came from
   */
  record Owner(String writer, String group, String stage, String bus) {}

  private final String directory;

  private Overflow(String directory) {
    this.directory = directory;
  }

  /**
   * Returns the one at a directory: {@code gs://bucket/prefix}, {@code s3://bucket/prefix} or a
   * local path.
   *
   * @throws IllegalArgumentException if it is too long, or nothing here writes to such places
   */
  public static Overflow in(String directory) {
    if (directory.getBytes(StandardCharsets.UTF_8).length > MAX_DIRECTORY_BYTES) {
      throw new IllegalArgumentException(
          "'" + Quoted.cut(directory, 100) + "' is longer than " + MAX_DIRECTORY_BYTES + " bytes");
    }
    Overflow overflow = new Overflow(directory);
    try {
      var unused = overflow.file("probe");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "'"
              + directory
              + "' is not a directory that can be written from here: "
              + e.getMessage()
              + ". Use gs://bucket/prefix or s3://bucket/prefix, with the Beam file system for it"
              + " on the class path, or a local directory",
          e);
    }
    return overflow;
  }

  /** Returns whether it is a directory of the machine that writes, and so another on each. */
  public boolean isLocal() {
    return "file".equals(file("probe").getScheme());
  }

  /** Returns whether it is a directory of this machine that nobody has made. */
  public boolean isMissing() {
    return isLocal() && !Files.isDirectory(Path.of(file("probe").getCurrentDirectory().toString()));
  }

  /**
   * Writes a small file and deletes it, from here: what can't be done should be known before the
   * first large message.
   *
   * @throws UnavailableException in one sentence that names the directory
   */
  public void check() throws UnavailableException {
    ResourceId probe = file("probe-" + UUID.randomUUID());
    try {
      try (OutputStream out =
          Channels.newOutputStream(FileSystems.create(probe, MimeTypes.BINARY))) {
        out.write(0);
      }
      FileSystems.delete(List.of(probe));
    } catch (IOException | RuntimeException e) {
      throw new UnavailableException(
          "'"
              + directory
              + "' can't be written: "
              + e
              + ". Dead letters that are too large for their topic go there: give its writer the"
              + " right to create and delete files, or name another directory",
          e);
    }
  }

  /**
   * Writes parts of a message.
   *
   * @param letter the message as its letter would have it, if there were room
   * @param owner whose letter that is
   * @return where they are
   */
  String write(BusMessage message, OutgoingMessage letter, List<Part> parts, Owner owner)
      throws IOException {
    byte @Nullable [] value = letter.payload();
    boolean raw = value != null && parts.equals(List.of(Part.VALUE));
    ResourceId file = file(name(message, letter, owner) + (raw ? VALUE : JSON_FILE));
    try (OutputStream out = Channels.newOutputStream(FileSystems.create(file, MimeTypes.BINARY))) {
      if (value != null && raw) {
        out.write(value);
      } else {
        write(letter, parts, out);
      }
    }
    return file.toString();
  }

  /**
   * Puts a message together again.
   *
   * @param uri where a part of it is, as {@link #write} has said
   * @param letter what its letter has
   * @throws IOException in a sentence that names the file, if it is none of this directory, is not
   *     there, or is not what was written
   */
  public OutgoingMessage restore(String uri, OutgoingMessage letter) throws IOException {
    byte[] file = read(uri);
    if (uri.endsWith(VALUE)) {
      return new OutgoingMessage(letter.key(), file, letter.headers());
    }
    List<Header> headers = new ArrayList<>();
    byte @Nullable [] key = letter.key();
    byte @Nullable [] value = letter.payload();
    try (JsonParser json = JSON.createParser(file)) {
      expect(json, JsonToken.START_OBJECT);
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        switch (json.currentName()) {
          case "headers" -> headers = headers(json);
          case "key" -> key = bytes(json);
          case "value" -> value = bytes(json);
          default -> throw new IOException("it has a field " + json.currentName());
        }
      }
    } catch (IOException e) {
      throw new IOException(uri + " is not what a writer has written: " + e.getMessage(), e);
    }
    headers.addAll(letter.headers().all());
    return new OutgoingMessage(key, value, Headers.of(headers));
  }

  /** Returns whether an address is that of a file which a writer has written to this directory. */
  public boolean holds(String uri) {
    String name = uri.substring(uri.lastIndexOf('/') + 1);
    return NAME.matcher(name).matches() && file(name).toString().equals(uri);
  }

  /**
   * Deletes files, of which some may be gone already.
   *
   * @param uris where they are; what is none of this directory is left alone
   */
  public void delete(Collection<String> uris) throws IOException {
    List<ResourceId> files =
        uris.stream()
            .filter(this::holds)
            .map(uri -> file(uri.substring(uri.lastIndexOf('/') + 1)))
            .toList();
    FileSystems.delete(files, StandardMoveOptions.IGNORE_MISSING_FILES);
  }

  /**
   * Returns the files that writers have written, each with the time of that.
   *
   * @throws IOException if the directory can't be listed
   */
  public Map<String, Instant> files() throws IOException {
    Map<String, Instant> files = new HashMap<>();
    MatchResult found = FileSystems.match(file("*").toString(), EmptyMatchTreatment.ALLOW);
    for (MatchResult.Metadata each : found.metadata()) {
      String uri = each.resourceId().toString();
      if (holds(uri)) {
        files.put(uri, Instant.ofEpochMilli(each.lastModifiedMillis()));
      }
    }
    return files;
  }

  private byte[] read(String uri) throws IOException {
    if (!holds(uri)) {
      throw new IOException(uri + " is no file of " + directory);
    }
    ResourceId file = file(uri.substring(uri.lastIndexOf('/') + 1));
    try (InputStream in = Channels.newInputStream(FileSystems.open(file))) {
      return in.readAllBytes();
    } catch (FileNotFoundException e) {
      throw new IOException(uri + " is not there any more", e);
    }
  }

  private static List<Header> headers(JsonParser json) throws IOException {
    List<Header> headers = new ArrayList<>();
    expect(json, JsonToken.START_ARRAY);
    while (json.nextToken() == JsonToken.START_OBJECT) {
      expect(json, JsonToken.FIELD_NAME);
      String name = json.nextTextValue();
      expect(json, JsonToken.FIELD_NAME);
      headers.add(new Header(String.valueOf(name), bytes(json)));
      expect(json, JsonToken.END_OBJECT);
    }
    return headers;
  }

  private static byte @Nullable [] bytes(JsonParser json) throws IOException {
    return json.nextToken() == JsonToken.VALUE_NULL ? null : json.getBinaryValue();
  }

  private static void expect(JsonParser json, JsonToken token) throws IOException {
    if (json.nextToken() != token) {
      throw new IOException("expected " + token + ", found " + json.currentToken());
    }
  }

  private static void write(OutgoingMessage letter, List<Part> parts, OutputStream out)
      throws IOException {
    try (JsonGenerator json = JSON.createGenerator(out)) {
      json.writeStartObject();
      if (parts.contains(Part.HEADERS)) {
        json.writeArrayFieldStart("headers");
        for (Header header : letter.headers().all()) {
          json.writeStartObject();
          json.writeStringField("name", header.name());
          write(json, "value", header.value());
          json.writeEndObject();
        }
        json.writeEndArray();
      }
      if (parts.contains(Part.KEY)) {
        write(json, "key", letter.key());
      }
      if (parts.contains(Part.VALUE)) {
        write(json, "value", letter.payload());
      }
      json.writeEndObject();
    }
  }

  private static void write(JsonGenerator json, String field, byte @Nullable [] bytes)
      throws IOException {
    if (bytes == null) {
      json.writeNullField(field);
    } else {
      json.writeBinaryField(field, bytes);
    }
  }

  private static String name(BusMessage message, OutgoingMessage letter, Owner owner) {
    String topic =
        message.topic().substring(0, Math.min(MAX_TOPIC_CHARS, message.topic().length()));
    String position =
        message.messageId().isEmpty() ? message.partition() + "-" + message.offset() + "-" : "";
    PartsDigest digest = new PartsDigest();
    for (String text :
        List.of(
            owner.writer,
            owner.group,
            owner.stage,
            owner.bus,
            message.topic(),
            message.place().topicId(),
            message.messageId())) {
      digest.add(text);
    }
    for (Header header : letter.headers().all()) {
      digest.add(header.name());
      digest.add(header.value());
    }
    digest.add(letter.key());
    digest.add(letter.payload());
    String hash = HexFormat.of().formatHex(digest.take()).substring(0, HASH_DIGITS);
    return UNSAFE.matcher(topic).replaceAll("_") + "-" + position + hash;
  }

  private ResourceId file(String name) {
    return FileSystems.matchNewResource(directory, true)
        .resolve(name, StandardResolveOptions.RESOLVE_FILE);
  }

  @Override
  public String toString() {
    return directory;
  }
}

package io.tailrace.parquet;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * What every offline store takes for JSON: a store refuses a whole file, or a whole {@code COPY},
 * for one value that it does not. Stateless and thread-safe.
 */
public final class JsonText {
  /** Twice as deep may be too much for the stack that PostgreSQL's parser is given. */
  private static final int MAX_DEPTH = 5_000;

  private static final JsonFactory JSON =
      JsonFactory.builder()
          .configure(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES, false)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNestingDepth(MAX_DEPTH)
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private JsonText() {}

  /**
   * Returns why a text is not JSON (RFC 8259), as a part of a sentence whose subject is a column;
   * null if it is.
   *
   * @param source among whose bytes the text lies, as UTF-8
   */
  public static @Nullable String whyNot(byte[] source, int start, int length) {
    return whyNot(source, start, length, false);
  }

  /**
   * Returns the same, and also why not every store takes it: not all know what to make of half a
   * character that is escaped ({@code "\\ud800"} alone).
   */
  public static @Nullable String whyNotEverywhere(byte[] source, int start, int length) {
    return whyNot(source, start, length, mayEscapeSurrogates(source, start, length));
  }

  private static @Nullable String whyNot(byte[] source, int start, int length, boolean surrogates) {
    // Jackson would skip a byte order mark.
    if (length > 0 && source[start] == (byte) 0xEF) {
      return "is not JSON: it begins with a character that no JSON text begins with";
    }
    try (JsonParser parser = JSON.createParser(source, start, length)) {
      int depth = 0;
      boolean ended = false;
      for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
        if (ended) {
          return "is not JSON: something follows its end";
        }
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        ended = depth == 0;
        if (surrogates
            && (token == JsonToken.VALUE_STRING || token == JsonToken.FIELD_NAME)
            && hasLoneSurrogate(parser.getText())) {
          return "is not JSON: it escapes half of a character";
        }
      }
      return ended ? null : "is not JSON: it is empty";
    } catch (StreamConstraintsException e) {
      return "is JSON of more than "
          + MAX_DEPTH
          + " levels, for which a store's stack may not be enough";
    } catch (JsonProcessingException e) {
      return "is not JSON: " + e.getOriginalMessage();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Looks for the beginning of {@code "\\ud800"} and its like. */
  private static boolean mayEscapeSurrogates(byte[] source, int start, int length) {
    for (int i = start; i < start + length - 2; i++) {
      if (source[i] == '\\' && source[i + 1] == 'u' && (source[i + 2] | 0x20) == 'd') {
        return true;
      }
    }
    return false;
  }

  private static boolean hasLoneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c)
          && i + 1 < text.length()
          && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return true;
      }
    }
    return false;
  }
}

package io.tailrace.result;

import com.google.protobuf.Descriptors.FieldDescriptor;
import io.tailrace.v1.QueryResult;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The fields of a {@code QueryResult} that are texts, as the proto declares them: one that is added
 * there is read without a line here. Stateless and thread-safe.
 */
final class HeadTexts {
  private static final List<FieldDescriptor> TEXTS = texts();

  /** How many there are. */
  static final int COUNT = TEXTS.size();

  private static final int[] PLACES = places();

  private HeadTexts() {}

  private static List<FieldDescriptor> texts() {
    List<FieldDescriptor> texts = new ArrayList<>();
    for (FieldDescriptor field : QueryResult.getDescriptor().getFields()) {
      if (field.getType() == FieldDescriptor.Type.STRING && !field.isRepeated()) {
        texts.add(field);
      }
    }
    return texts;
  }

  private static int[] places() {
    int last = TEXTS.stream().mapToInt(FieldDescriptor::getNumber).max().orElse(0);
    int[] places = new int[last + 1];
    Arrays.fill(places, -1);
    for (int i = 0; i < TEXTS.size(); i++) {
      places[TEXTS.get(i).getNumber()] = i;
    }
    return places;
  }

  /** Returns the place of a field among the texts, from 0; below zero if it is none. */
  static int place(int field) {
    return field >= 0 && field < PLACES.length ? PLACES[field] : -1;
  }

  /** Returns the name of the field at a place. */
  static String name(int place) {
    return TEXTS.get(place).getName();
  }
}

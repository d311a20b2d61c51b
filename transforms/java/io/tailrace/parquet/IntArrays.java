package io.tailrace.parquet;

/** Sorts numbers by an order of their own, which {@code java.util} does for objects only. */
final class IntArrays {
  /** Runs so short are sorted by inserting. */
  private static final int SHORT = 8;

  /** Compares numbers. */
  interface Order {
    int compare(int a, int b);
  }

  private IntArrays() {}

  /** Sorts; equal ones stay as they were. */
  static void mergeSort(int[] numbers, Order order) {
    sort(numbers, new int[numbers.length], 0, numbers.length, order);
  }

  private static void sort(int[] numbers, int[] room, int from, int to, Order order) {
    if (to - from <= SHORT) {
      insert(numbers, from, to, order);
      return;
    }
    int middle = (from + to) >>> 1;
    sort(numbers, room, from, middle, order);
    sort(numbers, room, middle, to, order);
    if (order.compare(numbers[middle - 1], numbers[middle]) <= 0) {
      return;
    }
    System.arraycopy(numbers, from, room, from, middle - from);
    int left = from;
    int right = middle;
    for (int at = from; left < middle; at++) {
      boolean takesRight = right < to && order.compare(numbers[right], room[left]) < 0;
      numbers[at] = takesRight ? numbers[right++] : room[left++];
    }
  }

  private static void insert(int[] numbers, int from, int to, Order order) {
    for (int i = from + 1; i < to; i++) {
      int number = numbers[i];
      int at = i;
      while (at > from && order.compare(numbers[at - 1], number) > 0) {
        numbers[at] = numbers[at - 1];
        at--;
      }
      numbers[at] = number;
    }
  }
}

package io.tailrace.pipelines.deploy;

/**
 * What a pod gets. Of memory and of the disk that vanishes with it, it is promised all that it may
 * use: what was only hoped for is taken away from a pod when its node has no more. Immutable.
 *
 * @param cpuRequest processors that it is promised
 * @param cpuLimit processors that it may use
 * @param memory all of its memory
 * @param disk the disk that vanishes with it
 */
record Resources(Quantity cpuRequest, Quantity cpuLimit, Quantity memory, Quantity disk) {
  private static final String WANTED = "write the same in requests and in limits";

  /**
   * Looks at what a file says.
   *
   * @param fallback what holds where it says nothing
   * @param least the least memory, which the parts of a JVM need
   */
  static Resources parse(Section section, Resources fallback, Quantity least) {
    Section requests = section.sectionOrEmpty("requests");
    Section limits = section.sectionOrEmpty("limits");
    Quantity cpuLimit =
        limits
            .parsed("cpu", Quantity::processors)
            .or(() -> requests.parsed("cpu", Quantity::processors))
            .orElse(fallback.cpuLimit);
    Quantity cpuRequest =
        requests
            .parsed("cpu", Quantity::processors)
            .orElse(limits.has("cpu") ? cpuLimit : fallback.cpuRequest);
    if (cpuRequest.compareTo(cpuLimit) > 0) {
      requests.problem("cpu", "is more than limits.cpu: raise the limit, or ask for less");
    }
    if (cpuRequest.thousandths().signum() <= 0) {
      requests.problem("cpu", "must be above zero");
    }
    Quantity memory = same(requests, limits, "memory", fallback.memory);
    if (memory.compareTo(least) < 0) {
      (limits.has("memory") ? limits : requests)
          .problem("memory", "is less than the " + least.mebibytes() + "Mi that a JVM needs here");
    }
    Quantity disk = same(requests, limits, "ephemeralStorage", fallback.disk);
    requests.finish();
    limits.finish();
    section.finish();
    return new Resources(cpuRequest, cpuLimit, memory, disk);
  }

  private static Quantity same(Section requests, Section limits, String key, Quantity fallback) {
    Quantity limit =
        limits
            .parsed(key, Quantity::bytes)
            .or(() -> requests.parsed(key, Quantity::bytes))
            .orElse(fallback);
    Quantity request = requests.parsed(key, Quantity::bytes).orElse(limit);
    if (!request.equals(limit) && request.compareTo(limit) != 0) {
      requests.problem(key, "is not limits." + key + ", so the node could take it away: " + WANTED);
    }
    return limit;
  }
}

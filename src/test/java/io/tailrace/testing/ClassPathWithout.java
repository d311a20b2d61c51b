package io.tailrace.testing;

import java.io.File;
import java.io.IOException;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.ArrayList;
import java.util.List;

/**
 * The tests' class path once more, but for the jars of an artifact: what a build has that leaves a
 * profile out. While it is open it is the thread's class loader. Not thread-safe.
 */
public final class ClassPathWithout extends URLClassLoader {
  private final ClassLoader before = Thread.currentThread().getContextClassLoader();

  private ClassPathWithout(URL[] rest) {
    super(rest, ClassLoader.getPlatformClassLoader());
    Thread.currentThread().setContextClassLoader(this);
  }

  /** Leaves the jars of an artifact out. */
  public static ClassPathWithout artifact(String artifact) throws MalformedURLException {
    List<URL> rest = new ArrayList<>();
    int left = 0;
    for (String each : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
      if (new File(each).getName().startsWith(artifact + "-")) {
        left++;
      } else {
        rest.add(new File(each).toURI().toURL());
      }
    }
    if (left == 0) {
      throw new IllegalArgumentException(artifact + " is not on the class path");
    }
    return new ClassPathWithout(rest.toArray(URL[]::new));
  }

  @Override
  public void close() throws IOException {
    Thread.currentThread().setContextClassLoader(before);
    super.close();
  }
}

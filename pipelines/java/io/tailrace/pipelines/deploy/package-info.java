/** What runs the writers on Kubernetes: manifests from one file, and how a cluster differs. */
@NullMarked
package io.tailrace.pipelines.deploy;

import org.jspecify.annotations.NullMarked;

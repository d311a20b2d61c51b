/** What runs the writers on Dataflow: a flex template of each, made of its options. */
@NullMarked
package io.tailrace.pipelines.deploy.dataflow;

import org.jspecify.annotations.NullMarked;

/**
 * What the warehouses share that are loaded from a stage ({@link
 * io.tailrace.offline.staging.StageThenLoad}): one typed table for each type of keys and values, a
 * view for each feature, and a load of many files in a few statements, whose number does not grow
 * with the features. What they differ in is a {@link
 * io.tailrace.offline.warehouse.WarehouseDialect}.
 */
package io.tailrace.offline.warehouse;

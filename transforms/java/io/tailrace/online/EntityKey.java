package io.tailrace.online;

/**
 * Names an entity.
 *
 * @param environment the environment
 * @param namespace the feature namespace
 * @param primaryKey the primary key as text, integers in decimal
 */
public record EntityKey(String environment, String namespace, String primaryKey) {}

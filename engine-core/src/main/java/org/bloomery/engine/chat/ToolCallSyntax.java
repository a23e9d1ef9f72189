package org.bloomery.engine.chat;

/**
 * How an answer calls tools: JSON documents between marks.
 *
 * @param open before each document
 * @param schema JSON Schema of a document
 * @param close behind it
 */
public record ToolCallSyntax(String open, String schema, String close) {}

/**
 * A chat page over a model that runs in the same process. {@link ChatController} is the web side, {@link Chat} the
 * conversation with Spring AI's {@code ChatClient}, {@link WeatherStation} the tool that the model calls.
 */
@NullMarked
package org.bloomery.example.chat;

import org.jspecify.annotations.NullMarked;

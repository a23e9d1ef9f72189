@NullMarked
package org.bloomery.example.chat;

import org.jspecify.annotations.NullMarked;

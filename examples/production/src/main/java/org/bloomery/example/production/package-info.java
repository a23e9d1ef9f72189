/** A service as it goes to production: logins, limits, audit, metrics, probes and a quiet end. */
@NullMarked
package org.bloomery.example.production;

import org.jspecify.annotations.NullMarked;

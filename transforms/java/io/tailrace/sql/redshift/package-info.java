/** What Redshift calls things. */
package io.tailrace.sql.redshift;

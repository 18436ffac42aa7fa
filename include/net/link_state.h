/* SPDX-License-Identifier: PostgreSQL */
#ifndef NET_LINK_STATE_H
#define NET_LINK_STATE_H

#include "net/link.h"

/* The inside of a link: for src/net only. */

/* ── link.c ────────────────────────────────────────────────────────────────────────────────────────────────
 */

/* -1 when it is closed. */
int link_socket(const struct link *link);
/* Reads even when the peer's end was seen. */
void link_read_on(struct link *link);
/* The peer's end (0), or the socket's failure, told to the owner, or to nobody when the link only waits to be
 * closed. */
void link_end(struct link *link, int error);

/* ── link_queue.c ──────────────────────────────────────────────────────────────────────────────────────────
 */

/* Writes the bytes as they are, after all that waits. */
void link_write(struct link *link, struct bytes bytes);
/* Nothing can be written any more; on_end comes from the loop. */
void link_fail(struct link *link, int error);
/* Once nothing waits: ends our side if that was asked for, closes if the peer's end was all that was missing.
 */
void link_settle(struct link *link);
/* Frees what waits. */
void link_drop_queue(struct link *link);

/* ── link_tls.c ────────────────────────────────────────────────────────────────────────────────────────────
 */

/* Of links with a stream: ciphertext was read; plaintext is to be sent; nothing will be sent any more. */
void link_unseal(struct link *link, struct bytes ciphertext);
void link_seal(struct link *link, struct bytes plaintext);
void link_seal_end(struct link *link);

#endif

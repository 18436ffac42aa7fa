/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_CONSOLE_H
#define CONTROL_CONSOLE_H

#include "base/address.h"
#include "base/buffer.h"
#include "control/command.h"
#include "control/login.h"
#include "control/question.h"
#include "control/world.h"

/* One connection to the console, spoken in the PostgreSQL protocol: bytes in, bytes out. Reads no socket and
 * no clock.
 *
 *     feed:  for (;;) switch (console_step(console, &input, out)) {
 *                STARVED: send out; wait for more bytes
 *                ASK:     gather what command_forms[console_command(console)->kind].needs, do its effect,
 *                         console_answer(console, &world, out); go on with what is left of the input
 *                         or, where it needs QUERY, have console_question answered, now or later, and
 *                         console_reply(console, &reply, out)
 *                CLOSE:   send out; close
 *            }
 */
struct console;

enum { CONSOLE_QUERY_MOST = 65536 }; /* bytes of a query; a longer one is refused (54000) */

enum console_event {
    CONSOLE_STARVED, /* the input is used up */
    CONSOLE_ASK,     /* a command waits for console_answer; until then further calls take nothing and say this
                        again */
    CONSOLE_CLOSE,   /* it is over: send what was appended, then close; further calls say this again */
};

/* `settings` may change between calls and must outlive the console. NULL when memory is short. */
struct console *console_create(const struct console_options *settings, const struct address *peer);
void console_destroy(struct console *console); /* NULL is allowed */

/* Takes bytes off the front of `input`, appends what goes back to `out`. */
MUST_USE enum console_event console_step(struct console *console, struct bytes *input, struct buffer *out);
/* After ASK: appends the answer. An answer that does not fit into out's limit is replaced by an error
 * (54000). */
void console_answer(struct console *console, const struct console_world *world, struct buffer *out);

/* After ASK of a command that needs QUERY: what is to be answered. What it names stays as it is until the
 * reply. */
struct console_question console_question(const struct console *console);
/* Appends the answer; takes reply->rows over. */
void console_reply(struct console *console, struct console_reply *reply, struct buffer *out);

/* What a client must say to have a query of this connection cancelled; before the login. */
void console_set_key(struct console *console, uint32_t number, uint32_t secret);
/* After CLOSE: whether it came only to cancel a query, and whose. */
bool console_is_cancel(const struct console *console, uint32_t *number, uint32_t *secret);

/* After ASK: what was asked; its role has been checked. */
const struct console_command *console_command(const struct console *console);
/* The name given at login, as it came (at most 63 bytes); empty before it. */
const char *console_user(const struct console *console);
/* Whether the login is done: before it, the owner's login deadline applies. */
bool console_has_logged_in(const struct console *console);
/* That the deadline is over: appends the error (57014); from now on console_step says CLOSE. */
void console_expire(struct console *console, struct buffer *out);
/* After CLOSE: whether it was for a wrong password. The owner lets newcomers wait for a moment then, against
 * guessing. */
bool console_has_wrong_password(const struct console *console);

#endif

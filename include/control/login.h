/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONTROL_LOGIN_H
#define CONTROL_LOGIN_H

#include "auth/scram.h"
#include "base/address.h"
#include "control/command.h"
#include "control/inbox.h"

/* How a client comes to the console (manual: "Start-up", "SASL Authentication"):
 *
 *     PREAMBLE --StartupMessage--> SASL_START --client-first--> SASL_FINAL --client-final--> done
 *         `--StartupMessage, no password set--> done
 */
enum login_phase { LOGIN_PREAMBLE, LOGIN_SASL_START, LOGIN_SASL_FINAL };

struct login {
    enum login_phase phase;
    bool has_asked_tls;
    bool has_asked_gss;
    bool has_wrong_password; /* the last attempt failed by its password */
    bool is_loopback;
    uint32_t key_number; /* what is said in BackendKeyData */
    uint32_t key_secret;
    bool is_cancel; /* it asks for this query to be cancelled */
    uint32_t cancel_number;
    uint32_t cancel_secret;
    struct buffer preamble;
    struct scram scram;
    enum console_role role;
    char user[POLICY_NAME_SIZE];
};

/* What the console's part of the settings says. */
struct console_options {
    const char *version; /* of the program: "0.1.0" */
    bool has_password;
    struct scram_secret secret; /* of the password, when there is one */
    int64_t opening_most_us;    /* the longest OPEN WINDOW */
};

enum login_result { LOGIN_STARVED, LOGIN_DONE, LOGIN_CLOSE };

void login_init(struct login *login, const struct address *peer);
void login_release(struct login *login);
/* Takes bytes off the front of `input` and appends the answers, up to (without) the first ReadyForQuery.
 * CLOSE: what was appended says why. A TLS or GSS request is answered 'N', each at most once; bytes that came
 * with it in the same input close the connection, since they were sent before the answer was known. */
MUST_USE enum login_result login_step(struct login *login, const struct console_options *settings,
                                      struct inbox *inbox, struct bytes *input, struct buffer *out);

#endif

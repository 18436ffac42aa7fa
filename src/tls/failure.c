/* SPDX-License-Identifier: PostgreSQL */
#include "tls/failure.h"

#include <openssl/err.h>
#include <openssl/x509.h>

/* The oldest error of the TLS protocol itself says most; what lies above and below only carries it. */
static unsigned long failure_take(void)
{
    unsigned long found = ERR_peek_error();
    for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error()) {
        if (ERR_GET_LIB(found) != ERR_LIB_SSL && ERR_GET_LIB(error) == ERR_LIB_SSL)
            found = error;
    }
    return found;
}

static const char *reason_words(unsigned long error)
{
    const char *words = error != 0 ? ERR_reason_error_string(error) : NULL;
    return words != NULL ? words : "unknown reason";
}

void failure_describe(const SSL *ssl, struct text *out)
{
    unsigned long error = failure_take();
    int reason = ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0;
    if (reason >= SSL_AD_REASON_OFFSET)
        text_append_format(out, "the peer refused: %s",
                           SSL_alert_desc_string_long(reason - SSL_AD_REASON_OFFSET));
    else if (reason == SSL_R_CERTIFICATE_VERIFY_FAILED)
        text_append_string(out, X509_verify_cert_error_string(SSL_get_verify_result(ssl)));
    else if (error != 0)
        text_append_string(out, reason_words(error));
}

const char *failure_reason(void)
{
    unsigned long error = ERR_peek_error();
    ERR_clear_error();
    return reason_words(error);
}

bool failure_report(struct problem *problem, const char *file, const char *format, ...)
{
    *problem = (struct problem){ 0 };
    struct text text;
    text_init(&text, problem->file, sizeof problem->file);
    text_append_string(&text, file);
    va_list arguments;
    va_start(arguments, format);
    text_init(&text, problem->text, sizeof problem->text);
    text_append_arguments(&text, format, arguments);
    va_end(arguments);
    return false;
}

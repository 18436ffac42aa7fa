/* SPDX-License-Identifier: PostgreSQL */
#include "tls/context_state.h"
#include "tls/failure.h"
#include "tls/rules.h"

#include <openssl/err.h>
#include <stdlib.h>

/* A session under rules that are no longer in force may have passed by a certificate that would now be
 * refused. */
static int on_session(SSL *ssl, SSL_SESSION *session)
{
    SSL_CTX *rules = SSL_get_SSL_CTX(ssl);
    struct tls_context *context = SSL_CTX_get_app_data(rules);
    const char *host = SSL_get_app_data(ssl);
    pthread_mutex_lock(&context->mutex);
    if (rules == context->rules)
        resumption_keep(&context->resumption, host, session);
    pthread_mutex_unlock(&context->mutex);
    return 0; /* OpenSSL's reference stays OpenSSL's */
}

static SSL_CTX *rules_read(struct tls_context *context, struct credential *credential,
                           struct problem *problem)
{
    SSL_CTX *rules = rules_create(&context->plan, credential, problem);
    if (rules == NULL)
        return NULL;
    SSL_CTX_set_app_data(rules, context);
    if (context->plan.role == TLS_CLIENT)
        SSL_CTX_sess_set_new_cb(rules, on_session);
    return rules;
}

static void tls_context_destroy(struct tls_context *context)
{
    resumption_clear(&context->resumption);
    SSL_CTX_free(context->rules);
    BIO_meth_free(context->carriers);
    pthread_mutex_destroy(&context->mutex);
    free(context);
}

static struct tls_context *tls_context_allocate(const struct tls_plan *plan)
{
    struct tls_context *context = calloc(1, sizeof *context);
    if (context == NULL)
        return NULL;
    context->plan = *plan;
    atomic_init(&context->references, 1);
    if (pthread_mutex_init(&context->mutex, NULL) != 0) {
        free(context);
        return NULL;
    }
    context->carriers = carrier_method_create();
    if (context->carriers != NULL)
        return context;
    tls_context_destroy(context);
    return NULL;
}

bool tls_context_create(const struct tls_plan *plan, struct tls_context **out, struct problem *problem)
{
    struct tls_context *context = tls_context_allocate(plan);
    if (context == NULL)
        return failure_report(problem, "", "TLS cannot be prepared: memory is short");
    context->rules = rules_read(context, &context->credential, problem);
    if (context->rules == NULL) {
        tls_context_destroy(context);
        return false;
    }
    *out = context;
    return true;
}

bool tls_context_reload(struct tls_context *context, struct problem *problem)
{
    struct credential credential;
    SSL_CTX *rules = rules_read(context, &credential, problem);
    if (rules == NULL)
        return false;
    pthread_mutex_lock(&context->mutex);
    SSL_CTX *old = context->rules;
    context->rules = rules;
    context->credential = credential;
    resumption_clear(&context->resumption);
    pthread_mutex_unlock(&context->mutex);
    SSL_CTX_free(old);
    return true;
}

void tls_context_retain(struct tls_context *context)
{
    atomic_fetch_add_explicit(&context->references, 1, memory_order_relaxed);
}

void tls_context_release(struct tls_context *context)
{
    if (context != NULL && atomic_fetch_sub_explicit(&context->references, 1, memory_order_acq_rel) == 1)
        tls_context_destroy(context);
}

bool tls_context_warning(struct tls_context *context, int64_t now_us, struct text *out)
{
    pthread_mutex_lock(&context->mutex);
    struct credential credential = context->credential;
    pthread_mutex_unlock(&context->mutex);
    return credential_warning(&credential, &context->plan, now_us, out);
}

SSL *tls_context_connect(struct tls_context *context, char *host)
{
    pthread_mutex_lock(&context->mutex);
    SSL_CTX *rules = context->rules;
    SSL_CTX_up_ref(rules);
    SSL_SESSION *session = host != NULL ? resumption_find(&context->resumption, host) : NULL;
    pthread_mutex_unlock(&context->mutex);
    SSL *ssl = SSL_new(rules);
    SSL_CTX_free(rules);
    if (ssl != NULL) {
        SSL_set_app_data(ssl, host);
        if (session != NULL)
            SSL_set_session(ssl, session);
    }
    SSL_SESSION_free(session);
    ERR_clear_error();
    return ssl;
}

void tls_context_forget(struct tls_context *context, const char *host)
{
    pthread_mutex_lock(&context->mutex);
    resumption_forget(&context->resumption, host);
    pthread_mutex_unlock(&context->mutex);
}

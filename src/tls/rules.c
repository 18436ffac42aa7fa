/* SPDX-License-Identifier: PostgreSQL */
#include "tls/rules.h"

#include "base/bytes.h"
#include "tls/failure.h"

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* The longest name DNS knows, and more than any address takes. */
enum { HOST_SIZE = 254 };

/* As ALPN writes a list of one: its length in a byte before it. */
static const unsigned char protocols[] = "\x0a" RULES_PROTOCOL;
enum { PROTOCOLS_SIZE = sizeof protocols - 1 };

static const unsigned char session_scope[] = "pgsluice";

/* A client that offers other protocols only is refused, one that offers none is not asked (manual: "Protocol
 * Flow", "SSL Session Encryption"). */
static int on_protocols(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
                        const unsigned char *offered, unsigned offered_size, void *nothing)
{
    (void)ssl;
    (void)nothing;
    unsigned char *found = NULL;
    if (SSL_select_next_proto(&found, chosen_size, protocols, PROTOCOLS_SIZE, offered, offered_size) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static bool rules_set_common(const struct tls_plan *plan, SSL_CTX *out)
{
    SSL_CTX_set_options(out, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_mode(out, SSL_MODE_RELEASE_BUFFERS);
    int version = plan->version_least == TLS_VERSION_1_3 ? TLS1_3_VERSION : TLS1_2_VERSION;
    return SSL_CTX_set_min_proto_version(out, version) == 1 && SSL_CTX_set_max_proto_version(out, 0) == 1;
}

static bool rules_set_server(const struct tls_plan *plan, SSL_CTX *out)
{
    int verify = plan->ca[0] != '\0' ? SSL_VERIFY_PEER : SSL_VERIFY_NONE;
    SSL_CTX_set_verify(
        out, plan->needs_certificate ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT : verify, NULL);
    SSL_CTX_set_options(out, SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_alpn_select_cb(out, on_protocols, NULL);
    /* Tickets carry the sessions: nothing is kept here for clients that are gone. */
    SSL_CTX_set_session_cache_mode(out, SSL_SESS_CACHE_OFF);
    return SSL_CTX_set_num_tickets(out, 1) == 1 &&
           SSL_CTX_set_session_id_context(out, session_scope, sizeof session_scope - 1) == 1;
}

static bool rules_set_client(const struct tls_plan *plan, SSL_CTX *out)
{
    bool is_verified = plan->verification != TLS_VERIFY_NONE;
    SSL_CTX_set_verify(out, is_verified ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
    SSL_CTX_set_session_cache_mode(out, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    if (is_verified && plan->ca[0] == '\0' && SSL_CTX_set_default_verify_paths(out) != 1)
        return false;
    return SSL_CTX_set_alpn_protos(out, protocols, PROTOCOLS_SIZE) == 0;
}

static bool rules_set(const struct tls_plan *plan, SSL_CTX *out, struct problem *problem)
{
    bool is_set = rules_set_common(plan, out) &&
                  (plan->role == TLS_SERVER ? rules_set_server(plan, out) : rules_set_client(plan, out));
    return is_set || failure_report(problem, "", "TLS cannot be prepared: %s", failure_reason());
}

SSL_CTX *rules_create(const struct tls_plan *plan, struct credential *credential, struct problem *problem)
{
    if (plan->role == TLS_SERVER && plan->needs_certificate && plan->ca[0] == '\0') {
        failure_report(problem, "", "clients must show a certificate, but no file says who signs them");
        return NULL;
    }
    ERR_clear_error();
    SSL_CTX *rules = SSL_CTX_new(plan->role == TLS_SERVER ? TLS_server_method() : TLS_client_method());
    if (rules == NULL) {
        failure_report(problem, "", "TLS cannot be prepared: %s", failure_reason());
        return NULL;
    }
    if (rules_set(plan, rules, problem) && credential_load(plan, rules, credential, problem) &&
        credential_load_authorities(plan, rules, problem))
        return rules;
    SSL_CTX_free(rules);
    return NULL;
}

static bool is_address(const char *host)
{
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(host);
    ASN1_OCTET_STRING_free(address);
    ERR_clear_error();
    return address != NULL;
}

bool rules_aim(const struct tls_plan *plan, SSL *ssl, const char *host)
{
    char name[HOST_SIZE];
    struct bytes text = bytes_text(host);
    text.size = bytes_find(text, '%'); /* an address's zone is this machine's affair */
    bool is_whole = bytes_copy_text(text, name, sizeof name) && name[0] != '\0';
    bool is_number = is_whole && is_address(name);
    if (is_whole && !is_number && SSL_set_tlsext_host_name(ssl, name) != 1)
        return false;
    if (plan->verification != TLS_VERIFY_FULL)
        return true;
    X509_VERIFY_PARAM *wanted = SSL_get0_param(ssl);
    X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    /* Without a name there is nothing to hold against the certificate, and OpenSSL would take any. */
    return is_whole && (is_number ? X509_VERIFY_PARAM_set1_ip_asc(wanted, name)
                                  : X509_VERIFY_PARAM_set1_host(wanted, name, 0)) == 1;
}

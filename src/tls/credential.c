/* SPDX-License-Identifier: PostgreSQL */
#include "tls/credential.h"

#include "tls/certificate.h"
#include "tls/failure.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <sys/stat.h>

/* µs: how long before its end a certificate is spoken of. */
static const int64_t notice_us = INT64_C(14) * 24 * 3600 * 1000000;

static FILE *file_open(const char *path, struct stat *status, struct problem *problem)
{
    FILE *file = fopen(path, "re");
    if (file != NULL && fstat(fileno(file), status) == 0 && !S_ISDIR(status->st_mode))
        return file;
    int error = file != NULL ? EISDIR : errno;
    if (file != NULL)
        (void)fclose(file);
    failure_report(problem, path,
                   "cannot be read: %s; it must be a PEM file that this program's user may read",
                   strerror(error));
    return NULL;
}

static bool file_check(const char *path, struct problem *problem)
{
    struct stat status;
    FILE *file = file_open(path, &status, problem);
    if (file == NULL)
        return false;
    (void)fclose(file);
    return true;
}

/* Of the oldest error: nothing in the file looks like what is wanted, as against: it does, but is broken. */
static bool has_found_nothing(void)
{
    unsigned long error = ERR_peek_error();
    return (ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE) ||
           (ERR_GET_LIB(error) == ERR_LIB_X509 &&
            ERR_GET_REASON(error) == X509_R_NO_CERTIFICATE_OR_CRL_FOUND);
}

static bool certificate_refuse(const char *path, struct problem *problem)
{
    if (has_found_nothing()) {
        ERR_clear_error();
        return failure_report(problem, path,
                              "holds no certificate in PEM form, which begins with "
                              "\"-----BEGIN CERTIFICATE-----\"");
    }
    return failure_report(
        problem, path,
        "holds a certificate that cannot be used (%s); it must hold sound certificates in PEM form",
        failure_reason());
}

static bool certificate_load(const char *path, SSL_CTX *out, struct problem *problem)
{
    if (!file_check(path, problem))
        return false;
    ERR_clear_error();
    return SSL_CTX_use_certificate_chain_file(out, path) == 1 || certificate_refuse(path, problem);
}

static int on_passphrase(char *into, int capacity, int is_writing, void *was_asked)
{
    (void)is_writing;
    if (capacity > 0)
        into[0] = '\0';
    *(bool *)was_asked = true;
    return -1; /* nobody is there to type it */
}

/* As the server does it: its owner alone, or root as the owner and a group that may read. */
static void key_judge(const struct stat *status, struct credential *credential)
{
    credential->mode = (unsigned)status->st_mode & 07777U;
    credential->is_exposed = (credential->mode & (status->st_uid == 0 ? 0037U : 0077U)) != 0;
}

static EVP_PKEY *key_read(const char *path, struct credential *credential, struct problem *problem)
{
    struct stat status;
    FILE *file = file_open(path, &status, problem);
    if (file == NULL)
        return NULL;
    bool needs_passphrase = false;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, on_passphrase, &needs_passphrase);
    (void)fclose(file);
    ERR_clear_error();
    if (key != NULL)
        key_judge(&status, credential);
    else if (needs_passphrase)
        failure_report(problem, path,
                       "is protected by a passphrase, which nobody can type here; store the key without one "
                       "(openssl pkey -in FILE -out FILE) and let only its owner read it");
    else
        failure_report(problem, path,
                       "holds no private key in PEM form, which begins with \"-----BEGIN PRIVATE KEY-----\"");
    return key;
}

static bool key_load(const struct tls_plan *plan, SSL_CTX *out, struct credential *credential,
                     struct problem *problem)
{
    EVP_PKEY *key = key_read(plan->key, credential, problem);
    if (key == NULL)
        return false;
    bool is_loaded = false;
    if (X509_check_private_key(SSL_CTX_get0_certificate(out), key) != 1)
        failure_report(problem, plan->key,
                       "is not the key of the certificate in %s; the first certificate in that file must be "
                       "made from this key",
                       plan->certificate);
    else if (SSL_CTX_use_PrivateKey(out, key) != 1)
        failure_report(problem, plan->key, "holds a key that cannot be used: %s", failure_reason());
    else
        is_loaded = true;
    ERR_clear_error();
    EVP_PKEY_free(key);
    return is_loaded;
}

bool credential_load(const struct tls_plan *plan, SSL_CTX *out, struct credential *credential,
                     struct problem *problem)
{
    *credential = (struct credential){ 0 };
    if (plan->certificate[0] == '\0')
        return plan->role == TLS_CLIENT ||
               failure_report(problem, "", "a certificate and its key are needed to take TLS connections");
    if (plan->key[0] == '\0')
        return failure_report(problem, plan->certificate, "is without its key; name the file of the key too");
    if (!certificate_load(plan->certificate, out, problem) || !key_load(plan, out, credential, problem))
        return false;
    const X509 *certificate = SSL_CTX_get0_certificate(out);
    credential->has_certificate =
        certificate_time(X509_get0_notBefore(certificate), &credential->starts_us) &&
        certificate_time(X509_get0_notAfter(certificate), &credential->expires_us);
    return credential->has_certificate ||
           failure_report(problem, plan->certificate, "holds a certificate without a sound validity period");
}

bool credential_load_authorities(const struct tls_plan *plan, SSL_CTX *out, struct problem *problem)
{
    if (plan->ca[0] == '\0')
        return true;
    if (!file_check(plan->ca, problem))
        return false;
    ERR_clear_error();
    if (SSL_CTX_load_verify_file(out, plan->ca) != 1)
        return certificate_refuse(plan->ca, problem);
    if (plan->role == TLS_CLIENT)
        return true;
    STACK_OF(X509_NAME) *names = SSL_load_client_CA_file(plan->ca);
    if (names == NULL)
        return certificate_refuse(plan->ca, problem);
    SSL_CTX_set_client_CA_list(out, names);
    return true;
}

static void warning_begin(struct text *out, size_t start, const char *file)
{
    text_append_format(out, "%s%s ", out->size > start ? "; " : "", file);
}

static void expiry_warning(const struct credential *credential, const char *file, int64_t now_us,
                           struct text *out, size_t start)
{
    if (now_us >= credential->starts_us && now_us < credential->expires_us - notice_us)
        return;
    warning_begin(out, start, file);
    if (now_us < credential->starts_us) {
        text_append_string(out, "is not valid before ");
        text_append_time(out, credential->starts_us);
    } else if (now_us >= credential->expires_us) {
        text_append_string(out, "has expired on ");
        text_append_time(out, credential->expires_us);
    } else {
        text_append_string(out, "expires in ");
        text_append_duration(out, credential->expires_us - now_us);
    }
}

bool credential_warning(const struct credential *credential, const struct tls_plan *plan, int64_t now_us,
                        struct text *out)
{
    size_t start = out->size;
    if (!credential->has_certificate)
        return false;
    expiry_warning(credential, plan->certificate, now_us, out, start);
    if (credential->is_exposed) {
        warning_begin(out, start, plan->key);
        text_append_format(out, "may be read by others (mode %04o; 0600 would be right)", credential->mode);
    }
    return out->size > start;
}

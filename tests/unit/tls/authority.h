/* SPDX-License-Identifier: PostgreSQL */
#ifndef UNIT_TLS_AUTHORITY_H
#define UNIT_TLS_AUTHORITY_H

#include "base/attributes.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Real certificates, made while the test runs, in a folder that goes with it. */

enum { DAY_S = 24 * 3600, PATH_SIZE = 96 };

struct holder {
    EVP_PKEY *key;
    X509 *certificate;
};

struct wish {
    const char *name;            /* the common name */
    size_t name_size;            /* 0: up to its NUL */
    const char *alternatives;    /* "DNS:db.example,IP:127.0.0.1", or NULL */
    const struct holder *issuer; /* NULL: signs itself and others */
    long starts_s;               /* from now */
    long ends_s;                 /* from now; 0: a year */
};

static inline void extend(X509 *certificate, int kind, const char *value)
{
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, kind, value);
    assert_non_null(extension);
    assert_int_equal(X509_add_ext(certificate, extension, -1), 1);
    X509_EXTENSION_free(extension);
}

static inline struct holder holder_make(struct wish wish)
{
    static long serial;
    struct holder made = { EVP_EC_gen("P-256"), X509_new() };
    X509 *certificate = made.certificate;
    X509_NAME *name = X509_get_subject_name(certificate);
    X509_set_version(certificate, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial);
    X509_gmtime_adj(X509_getm_notBefore(certificate), wish.starts_s != 0 ? wish.starts_s : -DAY_S);
    X509_gmtime_adj(X509_getm_notAfter(certificate), wish.ends_s != 0 ? wish.ends_s : 365L * DAY_S);
    X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8, (const unsigned char *)wish.name,
                               wish.name_size != 0 ? (int)wish.name_size : -1, -1, 0);
    X509_set_issuer_name(certificate,
                         wish.issuer != NULL ? X509_get_subject_name(wish.issuer->certificate) : name);
    X509_set_pubkey(certificate, made.key);
    extend(certificate, NID_basic_constraints, wish.issuer == NULL ? "critical,CA:TRUE" : "CA:FALSE");
    if (wish.alternatives != NULL)
        extend(certificate, NID_subject_alt_name, wish.alternatives);
    EVP_PKEY *signer = wish.issuer != NULL ? wish.issuer->key : made.key;
    assert_true(X509_sign(certificate, signer, EVP_sha256()) > 0);
    return made;
}

static inline void holder_release(struct holder *holder)
{
    EVP_PKEY_free(holder->key);
    X509_free(holder->certificate);
}

/* A folder of files; all is made by folder_init. */
struct folder {
    char path[PATH_SIZE];
    struct holder authority; /* ca.crt */
    struct holder other;     /* other.crt */
};

struct place {
    char path[2 * PATH_SIZE];
};

static inline struct place folder_place(const struct folder *folder, const char *name)
{
    struct place place;
    (void)snprintf(place.path, sizeof place.path, "%s/%s", folder->path, name);
    return place;
}

static inline FILE *folder_write(const struct folder *folder, const char *name)
{
    struct place place = folder_place(folder, name);
    FILE *file = fopen(place.path, "w");
    assert_non_null(file);
    assert_int_equal(fchmod(fileno(file), 0600), 0);
    return file;
}

static inline void folder_write_text(const struct folder *folder, const char *name, const char *text)
{
    FILE *file = folder_write(folder, name);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void folder_write_certificate(const struct folder *folder, const char *name, X509 *certificate)
{
    FILE *file = folder_write(folder, name);
    assert_int_equal(PEM_write_X509(file, certificate), 1);
    assert_int_equal(fclose(file), 0);
}

static inline void folder_write_key(const struct folder *folder, const char *name, EVP_PKEY *key,
                                    const char *passphrase)
{
    FILE *file = folder_write(folder, name);
    assert_int_equal(PEM_write_PKCS8PrivateKey(file, key, passphrase != NULL ? EVP_aes_128_cbc() : NULL,
                                               passphrase, passphrase != NULL ? (int)strlen(passphrase) : 0,
                                               NULL, NULL),
                     1);
    assert_int_equal(fclose(file), 0);
}

/* Makes a holder and writes NAME.crt and NAME.key; the certificate's digest lands in `digest` unless NULL.
 */
static inline void folder_issue(const struct folder *folder, const char *name, struct wish wish,
                                uint8_t *digest)
{
    char file[PATH_SIZE];
    struct holder made = holder_make(wish);
    (void)snprintf(file, sizeof file, "%s.crt", name);
    folder_write_certificate(folder, file, made.certificate);
    (void)snprintf(file, sizeof file, "%s.key", name);
    folder_write_key(folder, file, made.key, NULL);
    if (digest != NULL)
        assert_int_equal(X509_digest(made.certificate, EVP_sha256(), digest, NULL), 1);
    holder_release(&made);
}

static inline void folder_init(struct folder *folder)
{
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/pgsluice_tls_XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    folder->authority = holder_make((struct wish){ .name = "our authority" });
    folder->other = holder_make((struct wish){ .name = "another authority" });
    folder_write_certificate(folder, "ca.crt", folder->authority.certificate);
    folder_write_certificate(folder, "other.crt", folder->other.certificate);
    folder_issue(folder, "server",
                 (struct wish){ .name = "the server",
                                .alternatives = "DNS:db.example,DNS:*.pool.example,IP:127.0.0.1,IP:::1",
                                .issuer = &folder->authority },
                 NULL);
    folder_issue(folder, "client", (struct wish){ .name = "the client", .issuer = &folder->authority }, NULL);
}

static inline void folder_release(struct folder *folder)
{
    char command[2 * PATH_SIZE];
    (void)snprintf(command, sizeof command, "rm -r %s", folder->path);
    assert_int_equal(system(command), 0);
    holder_release(&folder->authority);
    holder_release(&folder->other);
}

/* For cmocka's group fixtures. */
static inline int make_folder(void **state)
{
    struct folder *folder = calloc(1, sizeof *folder);
    folder_init(folder);
    *state = folder;
    return 0;
}

static inline int drop_folder(void **state)
{
    folder_release(*state);
    free(*state);
    return 0;
}

#endif

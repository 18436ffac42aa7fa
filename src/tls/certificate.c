/* SPDX-License-Identifier: PostgreSQL */
#include "tls/certificate.h"

#include "base/text.h"

#include <openssl/evp.h>
#include <time.h>

void certificate_digest(const X509 *certificate, uint8_t out[TLS_DIGEST_SIZE])
{
    if (X509_digest(certificate, EVP_sha256(), out, NULL) != 1)
        memset(out, 0, TLS_DIGEST_SIZE);
}

void certificate_name(const X509 *certificate, char out[TLS_NAME_SIZE])
{
    struct text text;
    text_init(&text, out, TLS_NAME_SIZE);
    const X509_NAME *subject = X509_get_subject_name(certificate);
    int index = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (index < 0)
        return;
    unsigned char *name = NULL;
    int size = ASN1_STRING_to_UTF8(&name, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index)));
    if (size > 0)
        text_append_printable(&text, bytes_of(name, (size_t)size));
    OPENSSL_free(name);
}

bool certificate_time(const ASN1_TIME *time, int64_t *out_us)
{
    struct tm parts;
    if (time == NULL || ASN1_TIME_to_tm(time, &parts) != 1)
        return false;
    *out_us = (int64_t)timegm(&parts) * 1000000;
    return true;
}

/* SPDX-License-Identifier: PostgreSQL */
#include "tls/failure.h"

#include <openssl/asn1.h>
#include <openssl/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void assert_described(const char *words)
{
    char storage[100];
    struct text text;
    text_init(&text, storage, sizeof storage);
    SSL_CTX *rules = SSL_CTX_new(TLS_method());
    SSL *ssl = SSL_new(rules);
    SSL_set_verify_result(ssl, X509_V_ERR_CERT_HAS_EXPIRED);
    failure_describe(ssl, &text);
    assert_string_equal(storage, words);
    assert_int_equal(ERR_peek_error(), 0);
    SSL_free(ssl);
    SSL_CTX_free(rules);
}

static void the_oldest_error_of_the_protocol_says_why(void **state)
{
    (void)state;
    assert_described("");
    ERR_raise(ERR_LIB_ASN1, ASN1_R_BAD_OBJECT_HEADER);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_SIGNATURE);
    assert_described("bad length");
    ERR_raise(ERR_LIB_ASN1, ASN1_R_BAD_OBJECT_HEADER);
    ERR_raise(ERR_LIB_ASN1, ASN1_R_BAD_TEMPLATE);
    assert_described("bad object header");
}

static void alerts_and_certificates_are_put_into_words(void **state)
{
    (void)state;
    ERR_raise(ERR_LIB_SSL, SSL_AD_REASON_OFFSET + SSL_AD_UNKNOWN_CA);
    assert_described("the peer refused: unknown CA");
    ERR_raise(ERR_LIB_SSL, SSL_R_CERTIFICATE_VERIFY_FAILED);
    assert_described("certificate has expired");
    /* the same number of another library is another reason */
    ERR_raise(ERR_LIB_USER, SSL_R_CERTIFICATE_VERIFY_FAILED);
    assert_described("unknown reason");
}

static void a_report_names_file_and_reason(void **state)
{
    (void)state;
    struct problem problem = { .line = 7, .is_warning = true };
    assert_false(failure_report(&problem, "server.crt", "is %s", "wrong"));
    assert_string_equal(problem.file, "server.crt");
    assert_string_equal(problem.text, "is wrong");
    assert_int_equal(problem.line, 0);
    assert_false(problem.is_warning);
    ERR_raise(ERR_LIB_SSL, SSL_R_BAD_LENGTH);
    assert_string_equal(failure_reason(), "bad length");
    assert_string_equal(failure_reason(), "unknown reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_error_of_the_protocol_says_why),
        cmocka_unit_test(alerts_and_certificates_are_put_into_words),
        cmocka_unit_test(a_report_names_file_and_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

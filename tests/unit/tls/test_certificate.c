/* SPDX-License-Identifier: PostgreSQL */
#include "tls/certificate.h"
#include "unit/tls/authority.h"

static void assert_named(struct wish wish, const char *name)
{
    char out[TLS_NAME_SIZE];
    struct holder made = holder_make(wish);
    certificate_name(made.certificate, out);
    assert_string_equal(out, name);
    holder_release(&made);
}

static void a_name_is_shown_whole_and_harmless(void **state)
{
    (void)state;
    assert_named((struct wish){ .name = "app" }, "app");
    assert_named((struct wish){ .name = "Jos\xc3\xa9" }, "Jos\xc3\xa9");
    assert_named((struct wish){ .name = "admin\0.evil", .name_size = 11 }, "admin\\x00.evil");
    assert_named((struct wish){ .name = "a\nb" }, "a\\x0ab");
}

static void a_long_name_is_cut(void **state)
{
    (void)state;
    char name[65];
    char out[TLS_NAME_SIZE];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    struct holder made = holder_make((struct wish){ .name = name });
    certificate_name(made.certificate, out);
    assert_int_equal(strlen(out), TLS_NAME_SIZE - 1);
    holder_release(&made);
}

static void a_certificate_without_a_name_has_none(void **state)
{
    (void)state;
    char out[TLS_NAME_SIZE] = "old";
    X509 *certificate = X509_new();
    certificate_name(certificate, out);
    assert_string_equal(out, "");
    X509_free(certificate);
}

static void an_instant_is_read_in_both_forms(void **state)
{
    (void)state;
    int64_t time_us = 0;
    ASN1_TIME *time = ASN1_TIME_new();
    assert_int_equal(ASN1_TIME_set_string(time, "250301120000Z"), 1);
    assert_true(certificate_time(time, &time_us));
    assert_int_equal(time_us, INT64_C(1740830400) * 1000000);
    assert_int_equal(ASN1_TIME_set_string(time, "20610301120000Z"), 1);
    assert_true(certificate_time(time, &time_us));
    assert_int_equal(time_us, INT64_C(2876904000) * 1000000);
    ASN1_TIME_free(time);
    assert_false(certificate_time(NULL, &time_us));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_shown_whole_and_harmless),
        cmocka_unit_test(a_long_name_is_cut),
        cmocka_unit_test(a_certificate_without_a_name_has_none),
        cmocka_unit_test(an_instant_is_read_in_both_forms),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

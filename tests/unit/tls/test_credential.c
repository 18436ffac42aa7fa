/* SPDX-License-Identifier: PostgreSQL */
#include "unit/tls/stranger.h"

/* The plan is refused because of `file` (a name in the folder; "" for none) with these words. */
static void assert_refused(const struct draft *draft, const struct folder *folder, const char *file,
                           const char *words)
{
    struct tls_context *context = NULL;
    struct problem problem;
    struct place place = folder_place(folder, file);
    assert_false(tls_context_create(&draft->plan, &context, &problem));
    assert_null(context);
    assert_string_equal(problem.file, file[0] != '\0' ? place.path : "");
    assert_false(problem.is_warning);
    if (strstr(problem.text, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", problem.text, words);
}

static void assert_pair_refused(const struct folder *folder, const char *certificate, const char *key,
                                const char *file, const char *words)
{
    struct draft draft;
    draft_server(&draft, folder);
    draft.certificate = folder_place(folder, certificate);
    draft.key = folder_place(folder, key);
    assert_refused(&draft, folder, file, words);
}

static void a_file_that_is_not_there_is_named(void **state)
{
    struct draft draft;
    assert_pair_refused(*state, "none.crt", "server.key", "none.crt",
                        "cannot be read: No such file or directory; it must be a PEM file");
    assert_pair_refused(*state, "server.crt", "none.key", "none.key",
                        "cannot be read: No such file or directory");
    assert_pair_refused(*state, "server.crt/a", "server.key", "server.crt/a",
                        "cannot be read: Not a directory");
    draft_server(&draft, *state);
    draft_trust(&draft, *state, "none.ca");
    assert_refused(&draft, *state, "none.ca", "cannot be read: No such file or directory");
    draft.plan.role = TLS_CLIENT;
    assert_refused(&draft, *state, "none.ca", "cannot be read: No such file or directory");
}

static void a_folder_is_no_file(void **state)
{
    struct place place = folder_place(*state, "folder");
    assert_int_equal(mkdir(place.path, 0700), 0);
    assert_pair_refused(*state, "folder", "server.key", "folder", "cannot be read: Is a directory");
    assert_pair_refused(*state, "server.crt", "folder", "folder", "cannot be read: Is a directory");
}

static void a_file_that_may_not_be_read_is_named(void **state)
{
    folder_issue(*state, "closed", (struct wish){ .name = "closed" }, NULL);
    struct place place = folder_place(*state, "closed.key");
    assert_int_equal(chmod(place.path, 0), 0);
    if (geteuid() != 0) /* who may read all */
        assert_pair_refused(*state, "closed.crt", "closed.key", "closed.key",
                            "cannot be read: Permission denied");
}

static void a_file_that_is_not_pem_is_named(void **state)
{
    struct draft draft;
    folder_write_text(*state, "text", "not a certificate\n");
    folder_write_text(*state, "empty", "");
    static const char *const files[] = { "text", "empty", "server.key" };
    for (size_t i = 0; i < COUNT_OF(files); i++) {
        assert_pair_refused(*state, files[i], "server.key", files[i],
                            "holds no certificate in PEM form, which begins with \"-----BEGIN CERTIFICATE");
        draft_server(&draft, *state);
        draft_trust(&draft, *state, files[i]);
        assert_refused(&draft, *state, files[i], "holds no certificate in PEM form");
    }
    assert_pair_refused(*state, "server.crt", "text", "text", "holds no private key in PEM form");
    assert_pair_refused(*state, "server.crt", "empty", "empty", "holds no private key in PEM form");
    assert_pair_refused(*state, "server.crt", "client.crt", "client.crt", "holds no private key in PEM form");
}

static void a_broken_certificate_is_named(void **state)
{
    struct draft draft;
    folder_write_text(*state, "broken", "-----BEGIN CERTIFICATE-----\nMIIBAAAA\n-----END CERTIFICATE-----\n");
    assert_pair_refused(*state, "broken", "server.key", "broken",
                        "holds a certificate that cannot be used (");
    draft_client(&draft);
    draft_trust(&draft, *state, "broken");
    assert_refused(&draft, *state, "broken", "holds a certificate that cannot be used (");
}

static void a_key_must_be_the_certificates_own(void **state)
{
    struct place rsa = folder_place(*state, "rsa.key");
    assert_pair_refused(*state, "server.crt", "client.key", "client.key",
                        "is not the key of the certificate in /tmp/");
    EVP_PKEY *key = EVP_RSA_gen(2048);
    folder_write_key(*state, "rsa.key", key, NULL);
    EVP_PKEY_free(key);
    assert_int_equal(access(rsa.path, R_OK), 0);
    assert_pair_refused(*state, "server.crt", "rsa.key", "rsa.key", "is not the key of the certificate in ");
}

static void a_key_under_a_passphrase_is_refused_without_asking(void **state)
{
    struct holder made = holder_make((struct wish){ .name = "locked" });
    folder_write_certificate(*state, "locked.crt", made.certificate);
    folder_write_key(*state, "locked.key", made.key, "open sesame");
    assert_pair_refused(
        *state, "locked.crt", "locked.key", "locked.key",
        "is protected by a passphrase, which nobody can type here; store the key without one");
    holder_release(&made);
}

static void what_a_plan_lacks_is_said(void **state)
{
    struct draft draft;
    draft_server(&draft, *state);
    draft.plan.certificate = "";
    assert_refused(&draft, *state, "", "a certificate and its key are needed");
    draft_server(&draft, *state);
    draft.plan.key = "";
    assert_refused(&draft, *state, "server.crt", "is without its key");
    draft_server(&draft, *state);
    draft.plan.needs_certificate = true;
    assert_refused(&draft, *state, "", "no file says who signs them");
}

static void the_chain_is_shown_with_the_certificate(void **state)
{
    const struct folder *folder = *state;
    struct draft draft;
    struct holder middle = holder_make((struct wish){ .name = "middle" });
    struct holder leaf = holder_make((struct wish){ .name = "leaf", .issuer = &middle });
    FILE *file = folder_write(folder, "chain.crt");
    assert_int_equal(PEM_write_X509(file, leaf.certificate), 1);
    assert_int_equal(PEM_write_X509(file, middle.certificate), 1);
    assert_int_equal(fclose(file), 0);
    folder_write_key(folder, "chain.key", leaf.key, NULL);
    draft_server(&draft, folder);
    draft_show(&draft, folder, "chain");
    struct tls_context *context = context_make(&draft);
    struct tls_stream *stream = tls_stream_create(context, NULL);
    struct stranger stranger;
    stranger_init(&stranger, TLS_CLIENT, folder);
    assert_int_equal(stranger_meet(&stranger, stream), TLS_STARVED);
    assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(stranger.ssl)), 2);
    stranger_release(&stranger);
    tls_stream_destroy(stream);
    tls_context_release(context);
    holder_release(&leaf);
    holder_release(&middle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_that_is_not_there_is_named),
        cmocka_unit_test(a_folder_is_no_file),
        cmocka_unit_test(a_file_that_may_not_be_read_is_named),
        cmocka_unit_test(a_file_that_is_not_pem_is_named),
        cmocka_unit_test(a_broken_certificate_is_named),
        cmocka_unit_test(a_key_must_be_the_certificates_own),
        cmocka_unit_test(a_key_under_a_passphrase_is_refused_without_asking),
        cmocka_unit_test(what_a_plan_lacks_is_said),
        cmocka_unit_test(the_chain_is_shown_with_the_certificate),
    };
    return cmocka_run_group_tests(tests, make_folder, drop_folder);
}

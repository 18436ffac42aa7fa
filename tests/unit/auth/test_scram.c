/* SPDX-License-Identifier: PostgreSQL */
#include "auth/base64.h"
#include "auth/scram.h"

#include <setjmp.h>
#include <stdlib.h>

#include <cmocka.h>

/* The exchange that RFC 7677, section 3, publishes. */
static const char server_nonce[] = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
static const char client_first[] = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
static const char server_first[] =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
static const char client_final[] = "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                                   "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
static const char server_final[] = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

struct exchange {
    struct scram_secret secret;
    struct scram scram;
    char storage[SCRAM_MESSAGE_MOST + 256];
    struct text answer;
};

static void exchange_begin(struct exchange *exchange, const char *password)
{
    uint8_t salt[SCRAM_SALT_SIZE];
    assert_true(base64_decode(bytes_text("W22ZaJ0SNY7soEsUEjb6gQ=="), salt, sizeof salt));
    assert_true(scram_secret_init(&exchange->secret, bytes_text(password), salt, 4096));
    scram_init(&exchange->scram, &exchange->secret, server_nonce);
}

static enum scram_result exchange_step(struct exchange *exchange, struct bytes message)
{
    text_init(&exchange->answer, exchange->storage, sizeof exchange->storage);
    return scram_step(&exchange->scram, message, &exchange->answer);
}

static enum scram_result exchange_final(struct exchange *exchange, const char *password, const char *final)
{
    exchange_begin(exchange, password);
    assert_int_equal(exchange_step(exchange, bytes_text(client_first)), SCRAM_CONTINUE);
    return exchange_step(exchange, bytes_text(final));
}

static void the_published_exchange_is_reproduced(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_begin(&exchange, "pencil");
    assert_int_equal(exchange_step(&exchange, bytes_text(client_first)), SCRAM_CONTINUE);
    assert_string_equal(exchange.storage, server_first);
    assert_int_equal(exchange_step(&exchange, bytes_text(client_final)), SCRAM_DONE);
    assert_string_equal(exchange.storage, server_final);
}

static void another_password_is_wrong(void **state)
{
    (void)state;
    struct exchange exchange;
    assert_int_equal(exchange_final(&exchange, "pencils", client_final), SCRAM_WRONG);
    assert_string_equal(exchange.storage, "");
}

static void every_flipped_bit_of_the_proof_is_refused(void **state)
{
    (void)state;
    char final[sizeof client_final];
    size_t proof_at = strlen(client_final) - 44;
    for (size_t at = proof_at; client_final[at] != '\0'; at++) {
        struct exchange exchange;
        memcpy(final, client_final, sizeof final);
        final[at] ^= 1;
        assert_int_not_equal(exchange_final(&exchange, "pencil", final), SCRAM_DONE);
    }
}

static void the_flag_of_a_client_that_could_bind_is_accepted(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_begin(&exchange, "pencil");
    assert_int_equal(exchange_step(&exchange, bytes_text("y,,n=,r=abc")), SCRAM_CONTINUE);
    /* the header must come back as it was sent: eSws is "y,,", biws would be a downgrade */
    assert_int_equal(exchange_step(&exchange, bytes_text("c=biws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p="
                                                         "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")),
                     SCRAM_MALFORMED);
    exchange_begin(&exchange, "pencil");
    assert_int_equal(exchange_step(&exchange, bytes_text("y,,n=,r=abc")), SCRAM_CONTINUE);
    assert_int_equal(exchange_step(&exchange, bytes_text("c=eSws,r=abc%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p="
                                                         "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")),
                     SCRAM_WRONG);
}

static void what_is_not_offered_or_malformed_is_refused_at_first(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "n",
        "n,",
        "n,,",
        "n,,n=user",
        "n,,n=user,",
        "n,,n=user,r=",
        "n,,r=abc",
        "n,,m=ext,n=user,r=abc",
        "n,a=other,n=user,r=abc",
        "p=tls-server-end-point,,n=user,r=abc",
        "x,,n=user,r=abc",
        "n,,n=user,r=a\001c",
        "n,,n=user,r=a\xc3\xa4",
        "n,,n=user,r=a b",
        "n,,n=user,x=1,r=abc",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct exchange exchange;
        exchange_begin(&exchange, "pencil");
        assert_int_equal(exchange_step(&exchange, bytes_text(wrong[i])), SCRAM_MALFORMED);
        assert_string_equal(exchange.storage, "");
        /* and it stays over */
        assert_int_equal(exchange_step(&exchange, bytes_text(client_first)), SCRAM_MALFORMED);
    }
}

static void a_malformed_final_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "c=biws",
        "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=AAAA",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p="
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=,",
        "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p="
        "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=,x=1",
    };
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct exchange exchange;
        assert_int_equal(exchange_final(&exchange, "pencil", wrong[i]), SCRAM_MALFORMED);
        assert_string_equal(exchange.storage, "");
    }
}

static void a_nul_inside_is_malformed(void **state)
{
    (void)state;
    struct exchange exchange;
    exchange_begin(&exchange, "pencil");
    assert_int_equal(exchange_step(&exchange, bytes_of("n,,n=user,r=abc\0x", 17)), SCRAM_MALFORMED);
    exchange_begin(&exchange, "pencil");
    assert_int_equal(exchange_step(&exchange, bytes_of("n,,n=u\0er,r=abc", 15)), SCRAM_MALFORMED);
}

static void messages_beyond_the_limit_are_malformed(void **state)
{
    (void)state;
    for (size_t size = 900; size <= SCRAM_MESSAGE_MOST + 1; size++) {
        struct exchange exchange;
        char message[SCRAM_MESSAGE_MOST + 2];
        memset(message, 'a', sizeof message);
        memcpy(message, "n,,n=,r=", 8);
        exchange_begin(&exchange, "pencil");
        enum scram_result result = exchange_step(&exchange, bytes_of(message, size));
        bool fits = size - 8 + strlen(server_nonce) < SCRAM_MESSAGE_MOST;
        assert_int_equal(result, fits ? SCRAM_CONTINUE : SCRAM_MALFORMED);
    }
}

static void a_long_name_is_malformed(void **state)
{
    (void)state;
    struct exchange exchange;
    char message[SCRAM_MESSAGE_MOST + 8];
    memset(message, 'a', sizeof message);
    memcpy(message, "n,,n=", 5);
    memcpy(message + sizeof message - 6, ",r=abc", 6);
    exchange_begin(&exchange, "pencil");
    assert_int_equal(exchange_step(&exchange, bytes_of(message, sizeof message)), SCRAM_MALFORMED);
}

static void nothing_of_the_secret_stays_behind(void **state)
{
    (void)state;
    static const struct scram_secret none;
    struct exchange exchange;
    assert_int_equal(exchange_final(&exchange, "pencil", client_final), SCRAM_DONE);
    assert_memory_equal(&exchange.scram.secret, &none, sizeof none);
    assert_int_equal(exchange_step(&exchange, bytes_text(client_final)), SCRAM_MALFORMED);
    assert_int_equal(exchange_final(&exchange, "pencil", "c=biws"), SCRAM_MALFORMED);
    assert_memory_equal(&exchange.scram.secret, &none, sizeof none);
}

static void salts_and_nonces_differ(void **state)
{
    (void)state;
    struct scram_secret first;
    struct scram_secret second;
    char nonces[2][SCRAM_NONCE_SIZE];
    assert_true(scram_secret_create(&first, bytes_text("pencil")));
    assert_true(scram_secret_create(&second, bytes_text("pencil")));
    assert_memory_not_equal(&first.salt, &second.salt, sizeof first.salt);
    assert_memory_not_equal(&first.stored_key, &second.stored_key, sizeof first.stored_key);
    assert_int_equal(first.iterations, SCRAM_ITERATIONS);
    assert_true(scram_make_nonce(nonces[0]) && scram_make_nonce(nonces[1]));
    assert_int_equal(strlen(nonces[0]), SCRAM_NONCE_SIZE - 1);
    assert_string_not_equal(nonces[0], nonces[1]);
    assert_null(strchr(nonces[0], ','));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_published_exchange_is_reproduced),
        cmocka_unit_test(another_password_is_wrong),
        cmocka_unit_test(every_flipped_bit_of_the_proof_is_refused),
        cmocka_unit_test(the_flag_of_a_client_that_could_bind_is_accepted),
        cmocka_unit_test(what_is_not_offered_or_malformed_is_refused_at_first),
        cmocka_unit_test(a_malformed_final_is_refused),
        cmocka_unit_test(a_nul_inside_is_malformed),
        cmocka_unit_test(messages_beyond_the_limit_are_malformed),
        cmocka_unit_test(a_long_name_is_malformed),
        cmocka_unit_test(nothing_of_the_secret_stays_behind),
        cmocka_unit_test(salts_and_nonces_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

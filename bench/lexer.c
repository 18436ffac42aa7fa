/* SPDX-License-Identifier: PostgreSQL */
/* How fast SQL is read, in MB/s on one core: the fast path, the lexer, the streaming classifier, the
 * shape and the scanner of libpg_query, all on the same texts, in turn; see README.md.
 *
 * usage: bench_lexer [ROUNDS [STREAM_MEGABYTES]] */
#include "sql/classifier.h"
#include "sql/shape.h"

#include <pg_query.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    KIND_BYTES = 1024 * 1024, /* of each kind of text */
    TEXT_BYTES = KIND_BYTES + 8192,
    TEXTS_MOST = 32768,
    PIECE_BYTES = 16384, /* of a text that is streamed */
    ROUNDS_MOST = 101,
};

/* Texts of one kind, each with its NUL, one behind the other. */
struct corpus {
    const char *name;
    char *data;
    size_t size;
    size_t starts[TEXTS_MOST + 1];
    size_t count;
};

static const struct lexer_reading reading = { .has_standard_strings = true };

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void corpus_begin(struct corpus *corpus, const char *name)
{
    corpus->name = name;
    corpus->data = malloc(TEXT_BYTES);
    corpus->size = corpus->count = 0;
    if (corpus->data == NULL)
        exit(1);
}

static void corpus_end_text(struct corpus *corpus)
{
    corpus->data[corpus->size++] = '\0';
    corpus->starts[++corpus->count] = corpus->size;
}

#define ADD(...)                                                                                             \
    corpus->size += (size_t)snprintf(corpus->data + corpus->size, TEXT_BYTES - corpus->size, __VA_ARGS__)

static bool corpus_has_room(const struct corpus *corpus)
{
    return corpus->size < KIND_BYTES && corpus->count + 8 < TEXTS_MOST;
}

static void make_pgbench(struct corpus *corpus, uint32_t *seed)
{
    while (corpus_has_room(corpus)) {
        unsigned account = next_random(seed) % 10000000;
        int delta = (int)(next_random(seed) % 10000) - 5000;
        ADD("UPDATE pgbench_accounts SET abalance = abalance + %d WHERE aid = %u;", delta, account);
        corpus_end_text(corpus);
        ADD("SELECT abalance FROM pgbench_accounts WHERE aid = %u;", account);
        corpus_end_text(corpus);
        ADD("UPDATE pgbench_tellers SET tbalance = tbalance + %d WHERE tid = %u;", delta, account % 100);
        corpus_end_text(corpus);
        ADD("INSERT INTO pgbench_history (tid, bid, aid, delta, mtime) "
            "VALUES (%u, %u, %u, %d, CURRENT_TIMESTAMP);",
            account % 100, account % 10, account, delta);
        corpus_end_text(corpus);
    }
}

static const char *const columns[] = { "id",         "created_at", "updated_at", "name",   "email_address",
                                       "account_id", "status",     "sort_order", "locale", "is_active" };

/* Half of them with quoted names, as some mappers write them. */
static void make_mapper(struct corpus *corpus, uint32_t *seed)
{
    while (corpus_has_room(corpus)) {
        bool is_quoted = next_random(seed) % 2 == 0;
        unsigned count = 20 + next_random(seed) % 40;
        ADD("SELECT ");
        for (unsigned i = 0; i < count; i++) {
            const char *column = columns[next_random(seed) % COUNT_OF(columns)];
            if (is_quoted)
                ADD("%s\"users_%u\".\"%s\" AS \"t%u_r%u\"", i > 0 ? ", " : "", i % 4, column, i % 4, i);
            else
                ADD("%st%u_.%s AS %s%u_%u_", i > 0 ? ", " : "", i % 4, column, column, i, i % 4);
        }
        ADD(" FROM users t0_ LEFT OUTER JOIN orders t1_ ON t0_.id = t1_.user_id AND t1_.deleted_at IS NULL"
            " INNER JOIN \"order_items\" t2_ ON (t2_.order_id = t1_.id) WHERE t0_.account_id = $1 AND "
            "(t0_.status IN ('active', 'trial', 'past due') OR lower(t0_.name) LIKE '%%smith%%') AND "
            "t1_.total >= %u.50 AND t0_.created_at::date <> '2026-11-21' ORDER BY t0_.name ASC, t1_.id "
            "DESC LIMIT %u OFFSET $2",
            next_random(seed) % 1000, 10 + next_random(seed) % 90);
        corpus_end_text(corpus);
    }
}

static void add_row(struct corpus *corpus, uint32_t *seed)
{
    unsigned number = next_random(seed);
    ADD("(%u, '%s', 'user%u@example.com', %d, %u.%02u, NULL, '2026-11-%02u 0%u:15:%02u', "
        "'a note of some length, with a comma, and it''s over', true)",
        number % 1000000, columns[number % COUNT_OF(columns)], number % 99999, (int)(number % 200) - 100,
        number % 5000, number % 100, 1 + number % 30, number % 10, number % 60);
}

static void make_insert(struct corpus *corpus, uint32_t *seed)
{
    ADD("INSERT INTO customers (id, name, email, balance, price, parent, created_at, note, flag) VALUES ");
    add_row(corpus, seed);
    while (corpus_has_room(corpus)) {
        ADD(", ");
        add_row(corpus, seed);
    }
    corpus_end_text(corpus);
}

/* As it stands between the dollars, where the lexer has to read it once it is looked into. */
static void make_function(struct corpus *corpus, uint32_t *seed)
{
    while (corpus_has_room(corpus)) {
        unsigned number = next_random(seed) % 1000;
        if (corpus->size > corpus->starts[corpus->count] + 6000)
            corpus_end_text(corpus);
        ADD("SELECT count(*), max(o.placed_at)\n      FROM orders AS o\n"
            "     WHERE o.customer = p_customer -- only this one\n       AND o.total > %u;\n"
            "    IF NOT FOUND THEN\n        RAISE EXCEPTION 'no customer %%', p_customer\n"
            "            USING ERRCODE = 'P0002', HINT = 'Look at the table.';\n    END IF;\n\n"
            "    FOR r IN SELECT * FROM items WHERE items.order_id = v_order LOOP\n"
            "        v_sum := v_sum + r.price * r.count;\n        /* taxes come later */\n"
            "        v_count := v_count + 1;\n    END LOOP;\n"
            "    UPDATE totals SET amount = v_sum, changed = now() WHERE customer = p_customer;\n",
            number);
    }
    corpus_end_text(corpus);
}

static void make_comments(struct corpus *corpus, uint32_t *seed)
{
    while (corpus_has_room(corpus)) {
        ADD("-- report of the month: %u, what was ordered and not yet paid\n"
            "/*\n * Kept apart from the other report since the two have different readers.\n"
            " * Ask before it is changed.\n */\n"
            "SELECT customer, sum(total) AS total -- in cents\n  FROM orders\n WHERE paid IS NULL\n"
            " GROUP BY customer /*application='shop',controller='reports',action='month'*/",
            next_random(seed) % 1000);
        corpus_end_text(corpus);
    }
}

/* As a driver writes them that puts arguments into the text. */
static void make_query(struct corpus *corpus, uint32_t *seed)
{
    ADD("SELECT * FROM measurements WHERE sensor IN (");
    while (corpus_has_room(corpus))
        ADD("%u, ", next_random(seed) % 10000000);
    ADD("0) ORDER BY taken_at");
    corpus_end_text(corpus);
}

typedef size_t (*reader_function)(struct bytes text); /* something that depends on all of it */

static size_t read_fast(struct bytes text)
{
    struct verdict verdict;
    classify(text, reading, &verdict);
    return verdict.statement_count;
}

static size_t read_tokens(struct bytes text)
{
    struct lexer lexer;
    struct token token;
    size_t count = 0;
    lexer_init(&lexer, reading);
    while (lexer_next(&lexer, &text, &token) == LEXER_TOKEN || lexer_finish(&lexer, &token))
        count += token.word_size + 1u;
    return count;
}

static size_t read_stream(struct bytes text)
{
    struct classifier classifier;
    struct verdict verdict;
    classifier_begin(&classifier, reading);
    while (text.size > 0)
        classifier_feed(&classifier, bytes_take(&text, text.size < PIECE_BYTES ? text.size : PIECE_BYTES));
    classifier_end(&classifier, &verdict);
    return verdict.statement_count;
}

static size_t read_shape(struct bytes text)
{
    return (size_t)shape_sql(text, reading) | 1;
}

static size_t read_library(struct bytes text)
{
    PgQueryScanResult result = pg_query_scan((const char *)text.data);
    size_t size = result.pbuf.len;
    pg_query_free_scan_result(result);
    return size;
}

static const struct {
    const char *name;
    reader_function read;
} readers[] = {
    { "classify", read_fast }, { "lexer", read_tokens },     { "streamed", read_stream },
    { "shape", read_shape },   { "pg_query", read_library },
};

enum { READERS = sizeof(readers) / sizeof(readers[0]) };

static double seconds_now(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double seconds_read(const struct corpus *corpus, reader_function read)
{
    size_t sum = 0;
    double begun = seconds_now();
    for (size_t i = 0; i < corpus->count; i++) {
        size_t size = corpus->starts[i + 1] - corpus->starts[i] - 1;
        sum += read(bytes_of(corpus->data + corpus->starts[i], size));
    }
    double taken = seconds_now() - begun;
    if (sum == 0)
        exit(1); /* nothing was read */
    return taken;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare_doubles);
    return values[count / 2];
}

/* Seconds by reader: the medians of the rounds, in each of which all take their turn. */
static void measure(const struct corpus *corpus, size_t rounds, double seconds[READERS])
{
    static double times[READERS][ROUNDS_MOST];
    for (size_t round = 0; round < rounds; round++)
        for (size_t i = 0; i < READERS; i++)
            times[i][round] = seconds_read(corpus, readers[i].read);
    for (size_t i = 0; i < READERS; i++)
        seconds[i] = median(times[i], rounds);
}

static void print_row(const char *name, double megabytes, const double seconds[READERS])
{
    printf("%-12s", name);
    for (size_t i = 0; i < READERS; i++)
        printf(" %9.0f", megabytes / seconds[i]);
    printf("   %.1f\n", seconds[READERS - 1] / seconds[1]);
}

/* One statement that never fits into memory: the rows of the insert over and over. */
static void measure_stream(const struct corpus *corpus, size_t megabytes)
{
    struct bytes rows = bytes_of(corpus->data, corpus->size - 1);
    struct classifier classifier;
    struct verdict verdict;
    size_t fed = 0;
    double begun = seconds_now();
    classifier_begin(&classifier, reading);
    while (fed < megabytes * 1000000) {
        struct bytes rest = rows;
        while (rest.size > 0)
            classifier_feed(&classifier,
                            bytes_take(&rest, rest.size < PIECE_BYTES ? rest.size : PIECE_BYTES));
        fed += rows.size;
        classifier_feed(&classifier, bytes_text(", "));
    }
    classifier_end(&classifier, &verdict);
    printf("one INSERT of %zu MB, streamed: %.0f MB/s\n", megabytes,
           (double)fed / 1e6 / (seconds_now() - begun));
}

typedef void (*make_function_type)(struct corpus *corpus, uint32_t *seed);

static const struct {
    const char *name;
    make_function_type make;
    bool is_mixed; /* belongs to the mix */
} kinds[] = {
    { "pgbench", make_pgbench, true },   { "mapper", make_mapper, true },
    { "insert", make_insert, true },     { "function", make_function, true },
    { "comments", make_comments, true }, { "long query", make_query, false },
};

int main(int count, char **arguments)
{
    size_t rounds = count > 1 ? strtoul(arguments[1], NULL, 10) : 11;
    size_t megabytes = count > 2 ? strtoul(arguments[2], NULL, 10) : 100;
    static struct corpus corpora[COUNT_OF(kinds)];
    double mixed[READERS] = { 0 };
    double mixed_megabytes = 0;
    uint32_t seed = 20261121;
    rounds = rounds < 1 ? 1 : rounds > ROUNDS_MOST ? ROUNDS_MOST : rounds;
    printf("%-12s", "MB/s");
    for (size_t i = 0; i < READERS; i++)
        printf(" %9s", readers[i].name);
    printf("   lexer/pg_query\n");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        double seconds[READERS];
        struct corpus *corpus = &corpora[i];
        corpus_begin(corpus, kinds[i].name);
        kinds[i].make(corpus, &seed);
        double size = (double)(corpus->size - corpus->count) / 1e6;
        measure(corpus, rounds, seconds);
        print_row(corpus->name, size, seconds);
        for (size_t j = 0; kinds[i].is_mixed && j < READERS; j++)
            mixed[j] += seconds[j];
        mixed_megabytes += kinds[i].is_mixed ? size : 0;
    }
    print_row("the mix", mixed_megabytes, mixed);
    measure_stream(&corpora[2], megabytes);
    for (size_t i = 0; i < COUNT_OF(kinds); i++)
        free(corpora[i].data);
    return 0;
}

/* SPDX-License-Identifier: PostgreSQL */
/* Reads a database's constraints as the program would, again and again: `reader CONNINFO` reads a line from
 * the standard input before each reading and writes what changed, or why it failed, and a line of figures. A
 * line that begins with ? asks for a constraint: ?SCHEMA|TABLE|COLUMN|CONSTRAINT|DATATYPE. */
#include "catalog/reading.h"
#include "probe/question.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { CATALOG_SIZE = 64 << 20, PATIENCE_MS = 20000, LINE_SIZE = 4096, WORDS_SIZE = 8192, NAMES = 5 };

static void wait_for(const struct question *question)
{
    static const short events[] = { POLLIN, POLLOUT, POLLIN | POLLOUT };
    struct pollfd waiting = { .fd = question_socket(question), .events = events[question_wants(question)] };
    if (poll(&waiting, 1, PATIENCE_MS) != 1) {
        (void)puts("the server says nothing");
        exit(1);
    }
}

static void rows_take(struct question *question, struct catalog *catalog)
{
    struct bytes fields[READING_FIELDS];
    while (question_row(question, fields, READING_FIELDS)) {
        if (!reading_take(catalog, fields))
            (void)puts("a row was not understood");
    }
}

static bool question_answer(struct question *question, struct catalog *catalog)
{
    char storage[READING_QUERY_SIZE];
    struct text sql;
    text_init(&sql, storage, sizeof storage);
    for (;;) {
        rows_take(question, catalog);
        switch (question_state(question)) {
        case QUESTION_READY:
            reading_query(question_server(question), &sql);
            question_ask(question, sql.is_truncated ? "" : storage);
            break;
        case QUESTION_WAITING:
            wait_for(question);
            question_step(question);
            break;
        case QUESTION_DONE:
            return true;
        case QUESTION_FAILED:
            return false;
        }
    }
}

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void name_write(struct bytes name, char after)
{
    char storage[WORDS_SIZE];
    struct text text;
    text_init(&text, storage, sizeof storage);
    text_append_printable(&text, name);
    (void)printf("%s%c", storage, after);
}

static void changes_write(struct catalog *catalog)
{
    const struct constraint *constraint;
    const struct version *version;
    while (catalog_next_change(catalog, &constraint, &version)) {
        char storage[WORDS_SIZE];
        struct text text;
        text_init(&text, storage, sizeof storage);
        difference_describe(version, &text);
        (void)printf("change %s ", constraint_kind_name(version->row.kind));
        name_write(version->row.schema, '.');
        name_write(version->row.table, '.');
        bool is_column = constraint_kind_room(version->row.kind) == ROOM_COLUMN;
        name_write(is_column ? version->row.columns : version->row.name, ' ');
        (void)puts(storage);
    }
}

static void read_once(struct catalog *catalog, const char *conninfo)
{
    const struct question_plan plan = {
        .place = { NULL, conninfo, "", "", "", "" },
        .application_name = READING_APPLICATION_NAME,
        .statement_timeout_us = 10000000,
        .lock_timeout_us = 300000,
        .options = READING_OPTIONS,
    };
    int64_t begin = now_us();
    struct question *question = question_start(&plan);
    if (question == NULL || !catalog_begin(catalog, bytes_text("database"), begin))
        exit(1);
    if (question_answer(question, catalog)) {
        catalog_end(catalog);
    } else {
        catalog_abandon(catalog);
        (void)printf("failed %s\n", question_reason(question));
    }
    question_cancel(question);
    changes_write(catalog);
    (void)printf("read %u constraints, %u parts, %zu bytes, %lld us\n", catalog->constraints.count,
                 catalog->parts.count, catalog->size, (long long)(now_us() - begin));
}

static void find_once(const struct catalog *catalog, char *line)
{
    struct bytes names[NAMES];
    struct bytes rest = bytes_of(line, strcspn(line, "\n"));
    char storage[WORDS_SIZE];
    struct text text;
    for (size_t i = 0; i < NAMES; i++) {
        names[i] = bytes_take(&rest, bytes_find(rest, '|'));
        (void)bytes_take(&rest, rest.size > 0 ? 1 : 0);
    }
    const struct catalog_names wanted = {
        bytes_text("database"), names[0], names[1], names[2], names[3], names[4]
    };
    const struct constraint *found = catalog_find(catalog, &wanted);
    text_init(&text, storage, sizeof storage);
    if (found != NULL)
        constraint_describe(found, &text);
    (void)printf("found %s\n", found != NULL ? storage : "nothing");
}

int main(int count, char **arguments)
{
    char line[LINE_SIZE];
    struct catalog catalog;
    const struct hash_key key = { { 1, 2 } };
    if (count != 2)
        return 2;
    catalog_init(&catalog, &key, CATALOG_SIZE);
    while (fgets(line, sizeof line, stdin) != NULL) {
        if (line[0] == '?')
            find_once(&catalog, line + 1);
        else
            read_once(&catalog, arguments[1]);
        (void)fflush(stdout);
    }
    catalog_release(&catalog);
    return 0;
}

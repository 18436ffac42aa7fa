/* SPDX-License-Identifier: PostgreSQL */
#include "config/source.h"
#include "unit/config/given.h"

#define PROJECT     TESTS_FOLDER "/.."
#define SAMPLE_PATH PROJECT "/conf/pgsluice.yaml"
#define MANUAL_PATH PROJECT "/docs/settings.md"

enum { FILE_LIMIT = 65536, CORRUPTIONS = 3000 };

typedef void write_function(struct buffer *out);

static struct buffer written_by(write_function *write)
{
    struct buffer buffer;
    buffer_init(&buffer, FILE_LIMIT);
    write(&buffer);
    assert_false(buffer.has_failed);
    return buffer;
}

static void assert_file_equals(const char *path, write_function *write)
{
    struct problems problems;
    struct buffer file;
    struct buffer made = written_by(write);
    problems_init(&problems);
    buffer_init(&file, FILE_LIMIT);
    assert_true(source_read(path, &file, &problems));
    if (!bytes_equal(buffer_bytes(&file), buffer_bytes(&made)))
        fail_msg("%s is not what the table of settings makes: run unit_config_sample --write", path);
    buffer_release(&file);
    buffer_release(&made);
}

static void the_sample_is_what_the_table_makes(void **state)
{
    (void)state;
    assert_file_equals(SAMPLE_PATH, settings_write_sample);
}

static void the_manual_is_what_the_table_makes(void **state)
{
    (void)state;
    assert_file_equals(MANUAL_PATH, settings_write_manual);
}

static void the_sample_loads_and_holds_the_defaults(void **state)
{
    (void)state;
    struct given given;
    size_t count = 0;
    problems_init(&given.problems);
    assert_true(settings_load(SAMPLE_PATH, &given.settings, &given.problems));
    assert_int_equal(given.problems.count, 1);
    assert_non_null(strstr(given.problems.kept[0].text, "the gate stays closed"));
    const struct settings_row *rows = settings_rows(given.settings, &count);
    assert_true(count > 20);
    for (size_t i = 0; i < count; i++) {
        if (rows[i].standard[0] != '\0')
            assert_string_equal(rows[i].value, rows[i].standard);
    }
    given_release(&given);
}

/* Takes off the "# " of the settings that are commented out. */
static void uncomment(struct buffer *text)
{
    size_t size = 0;
    bool is_in_head = true;
    for (size_t i = 0; i < text->size; i++) {
        bool is_first = size == 0 || text->data[size - 1] == '\n';
        is_in_head = is_in_head && !(is_first && text->data[i] == '\n');
        size_t blanks = i;
        while (is_first && blanks < text->size && text->data[blanks] == ' ')
            blanks++;
        if (is_first && !is_in_head && text->data[blanks] == '#') {
            memmove(text->data + size, text->data + i, blanks - i);
            size += blanks - i;
            i = blanks + 1;
        } else {
            text->data[size++] = text->data[i];
        }
    }
    text->size = size;
}

static void the_examples_of_the_sample_are_right_too(void **state)
{
    (void)state;
    struct given given;
    struct buffer text = written_by(settings_write_sample);
    uncomment(&text);
    problems_init(&given.problems);
    if (!settings_parse("sample", buffer_bytes(&text), &given.settings, &given.problems))
        fail_msg("%u: %s", given.problems.kept[0].line, given.problems.kept[0].text);
    /* All examples stand side by side, and so does what another mode would need. */
    assert_int_equal(given.problems.count, 2);
    assert_int_equal(given.problems.error_count, 0);
    assert_non_null(
        strstr(given.problems.kept[0].text, "listen[0].tls.client_ca: has no effect with mode: disable"));
    assert_non_null(
        strstr(given.problems.kept[1].text, "upstreams[0].tls.ca: has no effect with mode: disable"));
    assert_int_equal(given.settings->listen.items[0].routes.count, 1);
    assert_int_equal(given.settings->listen.items[0].proxy_protocol.from.count, 1);
    assert_string_equal(given.settings->upstreams.items[0].tls.key, "client.key");
    assert_int_equal(given.settings->guard.windows.count, 1);
    assert_int_equal(given.settings->guard.freezes.count, 1);
    assert_int_equal(given.settings->guard.modes.count, 1);
    assert_int_equal(given.settings->guard.rules.count, 1);
    assert_int_equal(given.settings->guard.protected.count, 1);
    assert_int_equal(given.settings->services.count, 1);
    assert_string_equal(given.settings->services.items[0].when.database, "orders");
    assert_string_equal(given.settings->console.password, "...");
    given_release(&given);
    buffer_release(&text);
}

/* Marsaglia's xorshift: the same corruptions in every run. */
static uint32_t next_random(uint32_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 17;
    *random ^= *random << 5;
    return *random;
}

static void corrupt(uint8_t *data, size_t *size, uint32_t *random)
{
    static const char pieces[] = "\t\n :-#[]{}\"'&*!|>%@\\\x00\xff\xc3z09,?~";
    size_t at = next_random(random) % *size;
    size_t length = next_random(random) % 40;
    switch (next_random(random) % 4) {
    case 0:
        data[at] = (uint8_t)pieces[next_random(random) % sizeof pieces];
        break;
    case 1:
        data[at] = (uint8_t)next_random(random);
        break;
    case 2:
        length = length < *size - at ? length : *size - at;
        memmove(data + at, data + at + length, *size - at - length);
        *size -= length < *size ? length : 0;
        break;
    default:
        length = length < *size - at ? length : *size - at;
        memmove(data + next_random(random) % (*size - length + 1), data + at, length);
        break;
    }
}

static void assert_places(const struct problems *problems, size_t lines)
{
    for (size_t i = 0; i < problems_kept_count(problems); i++) {
        assert_true(problems->kept[i].line > 0 && problems->kept[i].line <= lines + 1);
        assert_true(problems->kept[i].column > 0);
        assert_true(problems->kept[i].text[0] != '\0');
    }
}

static size_t count_lines(struct bytes text)
{
    size_t lines = 1;
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n' || text.data[i] == '\r';
    return lines;
}

static void every_corruption_of_the_sample_is_borne_and_has_its_place(void **state)
{
    (void)state;
    struct buffer sample = written_by(settings_write_sample);
    uncomment(&sample);
    uint8_t *data = malloc(sample.size);
    uint32_t random = 20261126;
    for (size_t i = 0; i < CORRUPTIONS; i++) {
        struct given given;
        size_t size = sample.size;
        memcpy(data, sample.data, size);
        for (size_t times = next_random(&random) % 3 + 1; times > 0 && size > 0; times--)
            corrupt(data, &size, &random);
        problems_init(&given.problems);
        bool is_right = settings_parse("sample", bytes_of(data, size), &given.settings, &given.problems);
        assert_int_equal(is_right, given.problems.error_count == 0);
        assert_places(&given.problems, count_lines(bytes_of(data, size)));
        given_release(&given);
    }
    free(data);
    buffer_release(&sample);
}

static bool write_file(const char *path, write_function *write)
{
    struct buffer made = written_by(write);
    FILE *file = fopen(path, "wb");
    bool is_written = file != NULL && fwrite(made.data, 1, made.size, file) == made.size;
    is_written = file != NULL && fclose(file) == 0 && is_written;
    buffer_release(&made);
    return is_written;
}

int main(int count, char **arguments)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_what_the_table_makes),
        cmocka_unit_test(the_manual_is_what_the_table_makes),
        cmocka_unit_test(the_sample_loads_and_holds_the_defaults),
        cmocka_unit_test(the_examples_of_the_sample_are_right_too),
        cmocka_unit_test(every_corruption_of_the_sample_is_borne_and_has_its_place),
    };
    if (count == 2 && strcmp(arguments[1], "--write") == 0)
        return write_file(SAMPLE_PATH, settings_write_sample) &&
                       write_file(MANUAL_PATH, settings_write_manual)
                   ? 0
                   : 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

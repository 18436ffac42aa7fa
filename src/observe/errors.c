/* SPDX-License-Identifier: PostgreSQL */
#include "observe/errors.h"

#include <assert.h>

static_assert(offsetof(struct error_entry, entry) == 0, "the head comes first");
static_assert(sizeof(uint64_t) + 3 * NAME_SIZE + SQLSTATE_SIZE + ERROR_TYPE_SIZE <= TALLY_KEY_SIZE,
              "a key fits");

static void error_key_of(const struct tally_entry *head, struct tally_key *key)
{
    const struct error_entry *entry = (const struct error_entry *)head;
    for (size_t i = 0; i < sizeof entry->shape; i++)
        tally_key_byte(key, (uint8_t)(entry->shape >> (8 * i)));
    tally_key_text(key, entry->service, sizeof entry->service - 1);
    tally_key_text(key, entry->database, sizeof entry->database - 1);
    tally_key_text(key, entry->user, sizeof entry->user - 1);
    tally_key_text(key, entry->sqlstate, sizeof entry->sqlstate - 1);
    tally_key_text(key, entry->type, sizeof entry->type - 1);
}

static const struct tally_form error_form = { sizeof(struct error_entry), error_key_of, NULL };

void errors_init(struct errors *errors, const struct hash_key *key, size_t entries_most)
{
    *errors = (struct errors){ .families = FAMILIES_ALL };
    tally_init(&errors->tally, &error_form, key, entries_most);
}

void errors_release(struct errors *errors)
{
    tally_release(&errors->tally);
}

/* Five digits and capital letters (manual: "PostgreSQL Error Codes"). */
static bool is_sqlstate(struct bytes code)
{
    for (size_t i = 0; i < code.size; i++) {
        uint8_t byte = code.data[i];
        if (!(byte >= '0' && byte <= '9') && !(byte >= 'A' && byte <= 'Z'))
            return false;
    }
    return code.size == SQLSTATE_SIZE - 1;
}

struct error_entry *errors_record(struct errors *errors, const struct error_seen *seen, int64_t now_us)
{
    struct error_entry error = { .shape = seen->shape };
    bytes_copy_text(bytes_text(seen->service), error.service, sizeof error.service);
    bytes_copy_text(bytes_text(seen->database), error.database, sizeof error.database);
    bytes_copy_text(bytes_text(seen->user), error.user, sizeof error.user);
    bytes_copy_text(seen->type, error.type, sizeof error.type);
    if (is_sqlstate(seen->sqlstate))
        bytes_copy_text(seen->sqlstate, error.sqlstate, sizeof error.sqlstate);
    enum error_family family = sqlstate_family(bytes_text(error.sqlstate));
    errors->by_family[family]++;
    if ((errors->families >> family & 1) == 0)
        return NULL;
    struct tally_entry *head = tally_record(&errors->tally, &error.entry, now_us);
    struct error_entry *entry = (struct error_entry *)head;
    return entry != NULL && entry->text[0] == '\0' ? entry : NULL;
}

uint64_t errors_total(const struct errors *errors)
{
    uint64_t total = 0;
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        total += errors->by_family[i];
    return total;
}

void errors_merge(struct errors *into, const struct errors *from)
{
    tally_merge(&into->tally, &from->tally);
    for (size_t i = 0; i < FAMILY_COUNT; i++)
        into->by_family[i] += from->by_family[i];
}

size_t errors_top(const struct errors *errors, const struct error_entry **out, size_t most)
{
    return tally_top(&errors->tally, out, most);
}

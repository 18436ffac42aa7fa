/* SPDX-License-Identifier: PostgreSQL */
#include "observe/sqlstate.h"

#include "base/attributes.h"

static const struct sqlstate rows[] = {
#define SQLSTATE(code, name, family) { code, FAMILY_##family, name },
#include "observe/sqlstates.def"
#undef SQLSTATE
};

static const char *const family_names[] = {
#define FAMILY(symbol, name, about) name,
#include "observe/families.def"
#undef FAMILY
};

static const char *const family_abouts[] = {
#define FAMILY(symbol, name, about) about,
#include "observe/families.def"
#undef FAMILY
};

const char *error_family_name(enum error_family family)
{
    return family_names[family];
}

const char *error_family_about(enum error_family family)
{
    return family_abouts[family];
}

const struct sqlstate *sqlstate_find(struct bytes code)
{
    size_t least = 0;
    size_t behind = COUNT_OF(rows);
    if (code.size != SQLSTATE_SIZE - 1)
        return NULL;
    while (least < behind) {
        size_t middle = least + (behind - least) / 2;
        int order = memcmp(rows[middle].code, code.data, code.size);
        if (order == 0)
            return &rows[middle];
        if (order < 0)
            least = middle + 1;
        else
            behind = middle;
    }
    return NULL;
}

enum error_family sqlstate_family(struct bytes code)
{
    const struct sqlstate *row = sqlstate_find(code);
    if (row == NULL && code.size == SQLSTATE_SIZE - 1) {
        const char class[] = { (char)code.data[0], (char)code.data[1], '0', '0', '0' };
        row = sqlstate_find(bytes_of(class, sizeof class));
    }
    return row != NULL ? (enum error_family)row->family : FAMILY_OTHER;
}

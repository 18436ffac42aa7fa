/* SPDX-License-Identifier: PostgreSQL */
/* A packet that opens a connection, read from every start of it: the verdict comes once and does not change
 * with what follows, and a sound packet's parameters account for all of its bytes. */
#include "wire/preamble.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MOST_STARTS = 300, STARTUP_FRAME = 4 + 4 + 1 };

static void check(bool holds)
{
    if (!holds)
        abort();
}

static void check_parameters(const struct preamble *preamble)
{
    struct bytes rest = preamble->parameters;
    struct startup_parameter parameter;
    struct bytes user = BYTES_NONE;
    size_t size = STARTUP_FRAME;
    while (startup_parameter_next(&rest, &parameter)) {
        check(parameter.name.size > 0);
        size += parameter.name.size + 1 + parameter.value.size + 1;
        if (bytes_equal_text(parameter.name, "user"))
            user = parameter.value;
    }
    check(rest.size == 0 && size == preamble->size);
    check(user.size > 0 && bytes_equal(user, startup_parameter_find(preamble->parameters, "user")));
    check(startup_parameter_find(preamble->parameters, "").data == NULL);
}

static void check_preamble(struct bytes bytes, enum preamble_result result, const struct preamble *preamble)
{
    if (result == PREAMBLE_STARVED)
        check(preamble->size > bytes.size && preamble->size <= PREAMBLE_MOST);
    if (result != PREAMBLE_READY)
        return;
    check(preamble->size <= bytes.size && preamble->size <= PREAMBLE_MOST);
    if (preamble->kind == PREAMBLE_STARTUP)
        check_parameters(preamble);
    if (preamble->kind == PREAMBLE_CANCEL)
        check(preamble->cancel_key.size == preamble->size - 12 &&
              preamble->cancel_key.size <= PREAMBLE_CANCEL_KEY_MOST);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct preamble whole;
    enum preamble_result verdict = preamble_read(bytes_of(data, size), &whole);
    check_preamble(bytes_of(data, size), verdict, &whole);
    for (size_t start = 0; start < size && start < MOST_STARTS; start++) {
        struct preamble preamble;
        enum preamble_result result = preamble_read(bytes_of(data, start), &preamble);
        check_preamble(bytes_of(data, start), result, &preamble);
        check(result == PREAMBLE_STARVED || (result == verdict && preamble.size == whole.size));
        check(result == PREAMBLE_STARVED || bytes_equal(preamble.parameters, whole.parameters));
    }
    return 0;
}

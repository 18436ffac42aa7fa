/* SPDX-License-Identifier: PostgreSQL */
#include "net/admission.h"

#include <stdlib.h>
#include <uv.h>

struct admission {
    uv_mutex_t mutex;
    struct census *census;
};

struct admission *admission_create(const struct hash_key *key, const struct census_limits *limits)
{
    struct admission *admission = malloc(sizeof *admission);
    if (admission == NULL)
        return NULL;
    admission->census = census_create(key, limits);
    if (admission->census != NULL && uv_mutex_init(&admission->mutex) == 0)
        return admission;
    if (admission->census != NULL)
        census_destroy(admission->census);
    free(admission);
    return NULL;
}

void admission_destroy(struct admission *admission)
{
    if (admission == NULL)
        return;
    census_destroy(admission->census);
    uv_mutex_destroy(&admission->mutex);
    free(admission);
}

void admission_set_limits(struct admission *admission, const struct census_limits *limits)
{
    uv_mutex_lock(&admission->mutex);
    census_set_limits(admission->census, limits);
    uv_mutex_unlock(&admission->mutex);
}

enum census_result admission_enter(struct admission *admission, struct bytes service,
                                   const struct address *client, struct census_entry **out)
{
    uv_mutex_lock(&admission->mutex);
    enum census_result result = census_enter(admission->census, service, client, out);
    uv_mutex_unlock(&admission->mutex);
    return result;
}

void admission_leave(struct admission *admission, struct census_entry *entry)
{
    if (entry == NULL)
        return;
    uv_mutex_lock(&admission->mutex);
    census_leave(admission->census, entry);
    uv_mutex_unlock(&admission->mutex);
}

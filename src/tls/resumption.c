/* SPDX-License-Identifier: PostgreSQL */
#include "tls/resumption.h"

#include "base/attributes.h"

#include <stdlib.h>
#include <string.h>

static void entry_clear(struct resumption_entry *entry)
{
    free(entry->host);
    SSL_SESSION_free(entry->session);
    *entry = (struct resumption_entry){ 0 };
}

/* The index of the host's entry, or RESUMPTION_HOSTS_MOST. */
static unsigned resumption_index(const struct resumption *resumption, const char *host)
{
    unsigned index = 0;
    while (index < RESUMPTION_HOSTS_MOST &&
           (resumption->entries[index].host == NULL || strcmp(resumption->entries[index].host, host) != 0))
        index++;
    return index;
}

static struct resumption_entry *resumption_room(struct resumption *resumption, const char *host)
{
    unsigned index = resumption_index(resumption, host);
    if (index == RESUMPTION_HOSTS_MOST) {
        index = resumption->next;
        resumption->next = (index + 1) % RESUMPTION_HOSTS_MOST;
    }
    entry_clear(&resumption->entries[index]);
    return &resumption->entries[index];
}

void resumption_keep(struct resumption *resumption, const char *host, SSL_SESSION *session)
{
    struct resumption_entry *entry = resumption_room(resumption, host);
    entry->host = strdup(host);
    /* A copy: OpenSSL marks the connection's own session as spent when the connection ends without a
     * farewell. */
    entry->session = SSL_SESSION_dup(session);
    if (entry->host == NULL || entry->session == NULL)
        entry_clear(entry);
}

SSL_SESSION *resumption_find(const struct resumption *resumption, const char *host)
{
    unsigned index = resumption_index(resumption, host);
    return index < RESUMPTION_HOSTS_MOST ? SSL_SESSION_dup(resumption->entries[index].session) : NULL;
}

void resumption_forget(struct resumption *resumption, const char *host)
{
    unsigned index = resumption_index(resumption, host);
    if (index < RESUMPTION_HOSTS_MOST)
        entry_clear(&resumption->entries[index]);
}

void resumption_clear(struct resumption *resumption)
{
    for (unsigned i = 0; i < RESUMPTION_HOSTS_MOST; i++)
        entry_clear(&resumption->entries[i]);
}

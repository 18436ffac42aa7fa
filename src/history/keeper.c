/* SPDX-License-Identifier: PostgreSQL */
#include "history/keeper.h"

#include <stdio.h>

enum { ATTEMPTS = 3, PRUNING_US = 10 * 1000 * 1000 };

void keeper_init(struct keeper *keeper, const struct history_options *options, int64_t now_us)
{
    *keeper = (struct keeper){ .run.started_us = now_us, .run.flushed_us = now_us };
    keeper->limits = (struct archive_limits){ .bytes_most = options->bytes_most,
                                              .violations_most = options->violations_most,
                                              .detail_age_us = options->detail_age_us,
                                              .count_age_us = options->count_age_us };
    /* A relative name must not be read as a URI. */
    (void)snprintf(keeper->archive.path, sizeof keeper->archive.path, "%s%s",
                   options->path[0] == '/' ? "" : "./", options->path);
    (void)snprintf(keeper->run.version, sizeof keeper->run.version, "%s", options->version);
}

void keeper_release(struct keeper *keeper)
{
    archive_close(&keeper->archive);
}

static enum archive_result attempt(struct keeper *keeper, const struct batch *batch, struct text *why)
{
    if (keeper->archive.connection == NULL) {
        enum archive_result result = archive_open(&keeper->archive, &keeper->run, why);
        if (result != ARCHIVE_DONE)
            return result;
        if (keeper->gap_from_us == 0)
            keeper->gap_from_us = keeper->archive.gap_from_us;
    }
    return archive_write(&keeper->archive, batch, &keeper->run, &keeper->rejected_rows, why);
}

/* A file that is at fault makes room for a new one. */
static bool make_room(struct keeper *keeper, struct text *why)
{
    char aside[HISTORY_PATH_SIZE];
    (void)snprintf(keeper->set_aside_why, sizeof keeper->set_aside_why, "%s", why->data);
    if (!archive_set_aside(&keeper->archive, aside, sizeof aside, why))
        return false;
    (void)snprintf(keeper->set_aside, sizeof keeper->set_aside, "%s", aside);
    keeper->files_set_aside++;
    return true;
}

bool keeper_write(struct keeper *keeper, const struct batch *batch, int64_t now_us)
{
    struct text why;
    keeper->run.flushed_us = now_us;
    for (unsigned i = 0; i < ATTEMPTS; i++) {
        text_init(&why, keeper->why, sizeof keeper->why);
        enum archive_result result = attempt(keeper, batch, &why);
        if (result == ARCHIVE_DONE) {
            keeper->written_rows += batch->row_count;
            keeper->file_bytes = archive_bytes(&keeper->archive);
            return true;
        }
        if (result == ARCHIVE_FAULTY && !make_room(keeper, &why))
            return false;
        if (result == ARCHIVE_FAILED && keeper->archive.connection != NULL)
            return false; /* opening it anew would not help */
    }
    return false;
}

bool keeper_prune(struct keeper *keeper, int64_t now_us)
{
    char storage[HISTORY_WHY_SIZE];
    struct text why;
    bool is_done = true;
    bool is_too_big = keeper->limits.bytes_most > 0 && keeper->file_bytes > keeper->limits.bytes_most;
    bool is_time = now_us < keeper->pruned_us || now_us - keeper->pruned_us >= PRUNING_US;
    if (keeper->archive.connection == NULL || (!is_too_big && !is_time))
        return true;
    text_init(&why, storage, sizeof storage);
    /* What fails here is tried again; what is at fault shows at the next write. */
    bool has_failed =
        archive_prune(&keeper->archive, &keeper->limits, now_us, &is_done, &why) != ARCHIVE_DONE;
    if (!has_failed && is_done)
        keeper->pruned_us = now_us;
    keeper->file_bytes = archive_bytes(&keeper->archive);
    return is_done || has_failed;
}

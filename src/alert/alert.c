/* SPDX-License-Identifier: PostgreSQL */
#include "alert/alert.h"

#include "alert/payload.h"
#include "courier.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { COURIERS_MOST = 2 };

struct alert {
    unsigned news;
    size_t count;
    struct courier *couriers[COURIERS_MOST];
    uint64_t unwritten; /* no memory for its JSON */
    uint64_t unwritten_told;
};

static bool courier_add(struct alert *alert, struct receiver *receiver, const struct alert_options *options)
{
    struct courier *courier = courier_create(receiver, options);
    if (courier == NULL)
        return false;
    alert->couriers[alert->count++] = courier;
    return true;
}

struct alert *alert_create(const struct alert_options *options)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return NULL;
    struct alert *alert = calloc(1, sizeof *alert);
    if (alert == NULL) {
        curl_global_cleanup();
        return NULL;
    }
    alert->news = options->news;
    if ((options->url[0] == '\0' || courier_add(alert, webhook_create(options), options)) &&
        (options->command_count == 0 || courier_add(alert, program_create(options), options)))
        return alert;
    (void)alert_destroy(alert);
    return NULL;
}

size_t alert_destroy(struct alert *alert)
{
    size_t waited = 0;
    if (alert == NULL)
        return 0;
    for (size_t index = 0; index < alert->count; index++)
        waited += courier_destroy(alert->couriers[index]);
    free(alert);
    curl_global_cleanup();
    return waited;
}

void alert_post(struct alert *alert, const struct incident_note *note)
{
    struct buffer body;
    if (alert->count == 0 || (alert->news & 1U << note->news) == 0)
        return;
    buffer_init(&body, PAYLOAD_SIZE_MOST);
    payload_write(note, &body);
    alert->unwritten += body.has_failed ? alert->count : 0;
    for (size_t index = 0; index < alert->count && !body.has_failed; index++)
        courier_post(alert->couriers[index], note, buffer_bytes(&body));
    buffer_release(&body);
}

bool alert_report_take(struct alert *alert, struct alert_report *out)
{
    for (size_t index = 0; index < alert->count; index++)
        if (courier_report_take(alert->couriers[index], out))
            return true;
    return false;
}

uint64_t alert_lost_take(struct alert *alert)
{
    uint64_t lost = alert->unwritten - alert->unwritten_told;
    alert->unwritten_told = alert->unwritten;
    for (size_t index = 0; index < alert->count; index++)
        lost += courier_lost_take(alert->couriers[index]);
    return lost;
}

void alert_count(struct alert *alert, struct alert_totals *out)
{
    *out = (struct alert_totals){ .lost = alert->unwritten };
    for (size_t index = 0; index < alert->count; index++)
        courier_count(alert->couriers[index], out);
}

/* SPDX-License-Identifier: PostgreSQL */
#include "app/prober.h"

#include "config/schema.h"
#include "probe/probe.h"

#include <stdlib.h>

enum { MICROSECONDS_PER_MILLISECOND = 1000 };

/* One host, asked again and again. Its timer waits for the next question, or bounds the one that is asked. */
struct questioned {
    struct prober *prober;
    size_t upstream; /* indexes into the settings */
    size_t host;
    uv_timer_t timer;
    struct probe *probe; /* under way, or NULL */
    struct watch *watch; /* of its socket, or NULL */
    enum host_fitness fitness;
};

/* A socket that is waited for; outlives the question until its handle is closed. */
struct watch {
    uv_poll_t poll;
    struct questioned *questioned;
};

struct prober {
    struct transport *transport;
    void (*on_change)(void *owner, const struct host_change *change);
    void *owner;
    size_t count;
    size_t open_timers; /* not closed yet */
    struct questioned hosts[];
};

const char *host_fitness_about(enum host_fitness fitness)
{
    switch (fitness) {
    case HOST_FIT:
        return "accepts writes";
    case HOST_UNFIT:
        return "is read-only";
    case HOST_DOWN:
        return "cannot be asked";
    case HOST_UNKNOWN:
        break;
    }
    return "was not asked yet";
}

static const struct upstream_settings *settings_of(const struct questioned *questioned)
{
    return &questioned->prober->transport->settings->upstreams.items[questioned->upstream];
}

static void timer_set(struct questioned *questioned, uv_timer_cb callback, int64_t after_us)
{
    uint64_t after_ms = (uint64_t)after_us / MICROSECONDS_PER_MILLISECOND;
    (void)uv_timer_start(&questioned->timer, callback, after_ms, 0);
}

/* ── One question ──────────────────────────────────────────────────────────────────────────────────────────
 */

static void on_watch_closed(uv_handle_t *handle)
{
    free(CONTAINER_OF(handle, struct watch, poll));
}

static void unwatch(struct questioned *questioned)
{
    if (questioned->watch != NULL)
        uv_close((uv_handle_t *)&questioned->watch->poll, on_watch_closed);
    questioned->watch = NULL;
}

static void on_next(uv_timer_t *timer);

/* The question is answered, or never will be. */
static void settle(struct questioned *questioned, enum host_fitness fitness, const char *reason)
{
    struct prober *prober = questioned->prober;
    const struct upstream_settings *settings = settings_of(questioned);
    bool is_changed = questioned->fitness != fitness;
    unwatch(questioned);
    questioned->fitness = fitness;
    fitness_set(&prober->transport->fitness[questioned->upstream], questioned->host, fitness);
    if (is_changed) {
        const struct host_change change = { settings->name, &settings->hosts.items[questioned->host], fitness,
                                            reason };
        prober->on_change(prober->owner, &change);
    }
    probe_cancel(questioned->probe);
    questioned->probe = NULL;
    timer_set(questioned, on_next, settings->probe_interval);
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* Waits for the socket of the moment. */
static bool watch_socket(struct questioned *questioned)
{
    static const int wishes[] = {
        [PROBE_TO_READ] = UV_READABLE,
        [PROBE_TO_WRITE] = UV_WRITABLE,
        [PROBE_TO_READ_OR_WRITE] = UV_READABLE | UV_WRITABLE,
    };
    struct watch *watch = malloc(sizeof(*watch));
    if (watch == NULL)
        return false;
    if (uv_poll_init(questioned->timer.loop, &watch->poll, probe_socket(questioned->probe)) != 0) {
        free(watch);
        return false;
    }
    watch->questioned = questioned;
    questioned->watch = watch;
    return uv_poll_start(&watch->poll, wishes[probe_wants(questioned->probe)], on_ready) == 0;
}

static void go_on(struct questioned *questioned)
{
    switch (probe_result(questioned->probe)) {
    case PROBE_FIT:
        settle(questioned, HOST_FIT, "");
        break;
    case PROBE_UNFIT:
        settle(questioned, HOST_UNFIT, "");
        break;
    case PROBE_FAILED:
        settle(questioned, HOST_DOWN, probe_reason(questioned->probe));
        break;
    case PROBE_WAITING:
        if (!watch_socket(questioned))
            settle(questioned, HOST_DOWN, "its socket cannot be watched");
        break;
    }
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    (void)status; /* libpq finds out by itself */
    (void)events;
    struct questioned *questioned = CONTAINER_OF(poll, struct watch, poll)->questioned;
    unwatch(questioned);
    probe_step(questioned->probe);
    go_on(questioned);
}

static void on_late(uv_timer_t *timer)
{
    settle(CONTAINER_OF(timer, struct questioned, timer), HOST_DOWN, "no answer within connect_timeout");
}

/* It is asked over a connection that is as safe as those of the sessions. */
static struct probe *question(const struct questioned *questioned)
{
    const struct upstream_settings *settings = settings_of(questioned);
    enum setting_server_tls mode = settings->tls.mode;
    bool is_verified = mode == SERVER_TLS_VERIFY_CA || mode == SERVER_TLS_VERIFY_FULL;
    const struct probe_plan plan = {
        .host = &settings->hosts.items[questioned->host],
        .conninfo = settings->probe,
        .sslmode = mode == SERVER_TLS_DISABLE ? "" : schema_word(CHOICE_setting_server_tls, mode),
        .sslrootcert = is_verified ? settings->tls.ca : "", /* libpq would verify whatever the mode */
        .sslcert = settings->tls.certificate,
        .sslkey = settings->tls.key,
    };
    return probe_start(&plan);
}

static void on_next(uv_timer_t *timer)
{
    struct questioned *questioned = CONTAINER_OF(timer, struct questioned, timer);
    const struct upstream_settings *settings = settings_of(questioned);
    timer_set(questioned, on_late, settings->connect_timeout);
    questioned->probe = question(questioned);
    if (questioned->probe == NULL)
        settle(questioned, HOST_DOWN, "out of memory");
    else
        go_on(questioned);
}

/* ── All of them ───────────────────────────────────────────────────────────────────────────────────────────
 */

static bool is_asked(const struct transport *transport, size_t upstream)
{
    return transport->upstreams[upstream].fitness != NULL;
}

static size_t count_hosts(const struct transport *transport)
{
    size_t count = 0;
    for (size_t index = 0; index < transport->settings->upstreams.count; index++)
        count += is_asked(transport, index) ? transport->upstreams[index].host_count : 0;
    return count;
}

static void begin(struct prober *prober, uv_loop_t *loop, size_t upstream, size_t host)
{
    struct questioned *questioned = &prober->hosts[prober->count++];
    *questioned = (struct questioned){ .prober = prober, .upstream = upstream, .host = host };
    (void)uv_timer_init(loop, &questioned->timer); /* cannot fail */
    timer_set(questioned, on_next, 0);
    prober->open_timers++;
}

struct prober *prober_start(uv_loop_t *loop, struct transport *transport,
                            void (*on_change)(void *owner, const struct host_change *change), void *owner)
{
    size_t count = count_hosts(transport);
    struct prober *prober = calloc(1, sizeof(*prober) + count * sizeof(prober->hosts[0]));
    if (prober == NULL)
        return NULL;
    prober->transport = transport;
    prober->on_change = on_change;
    prober->owner = owner;
    for (size_t upstream = 0; upstream < transport->settings->upstreams.count; upstream++)
        for (size_t host = 0;
             is_asked(transport, upstream) && host < transport->upstreams[upstream].host_count; host++)
            begin(prober, loop, upstream, host);
    return prober;
}

static void on_timer_closed(uv_handle_t *handle)
{
    struct prober *prober = CONTAINER_OF(handle, struct questioned, timer)->prober;
    if (--prober->open_timers == 0)
        free(prober);
}

static void end(struct questioned *questioned)
{
    unwatch(questioned);
    probe_cancel(questioned->probe);
    questioned->probe = NULL;
    uv_close((uv_handle_t *)&questioned->timer, on_timer_closed);
}

void prober_stop(struct prober *prober)
{
    size_t count = prober != NULL ? prober->count : 0;
    if (count == 0)
        free(prober);
    for (size_t index = 0; index < count; index++)
        end(&prober->hosts[index]);
}

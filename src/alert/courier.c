/* SPDX-License-Identifier: PostgreSQL */
#include "courier.h"

#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

static const int64_t second_us = 1000000;

static int64_t now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * second_us + now.tv_nsec / 1000;
}

/* Xorshift: only to spread attempts. */
static uint64_t courier_random(struct courier *courier)
{
    uint64_t random = courier->random;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    courier->random = random;
    return random;
}

static void report(struct courier *courier, const struct letter *letter, enum alert_outcome outcome,
                   const struct text *reason)
{
    courier->outcomes[outcome]++;
    if (courier->report_count == REPORTS_KEPT) {
        courier->report_first = (courier->report_first + 1) % REPORTS_KEPT;
        courier->report_count--;
    }
    size_t place = (courier->report_first + courier->report_count++) % REPORTS_KEPT;
    struct alert_report *out = &courier->reports[place];
    *out = (struct alert_report){
        .outcome = outcome, .incident = letter->incident, .news = letter->news, .attempts = letter->attempts
    };
    (void)bytes_copy_text(bytes_text(courier->receiver->name), out->to, sizeof out->to);
    (void)bytes_copy_text(text_bytes(reason), out->reason, sizeof out->reason);
}

/* What is left of a letter behind an attempt: nothing, or it waits. */
static void settle(struct courier *courier, struct letter *letter, enum receipt receipt,
                   const struct text *reason)
{
    int64_t due_us = now_us() + letter_wait_us(letter->attempts, courier_random(courier));
    bool is_too_late = due_us - letter->posted_us > courier->give_up_us;
    if (atomic_load(&courier->is_ending) && receipt != RECEIPT_DELIVERED) {
        letter_queue_return(&courier->queue, letter);
    } else if (receipt == RECEIPT_TRY_AGAIN && !is_too_late) {
        report(courier, letter, ALERT_FAILED, reason);
        letter->due_us = due_us;
        letter_queue_return(&courier->queue, letter);
    } else {
        report(courier, letter, receipt == RECEIPT_DELIVERED ? ALERT_DELIVERED : ALERT_GIVEN_UP, reason);
        free(letter);
    }
}

/* With the mutex held, which is given back while the receiver is at work. */
static void deliver_next(struct courier *courier)
{
    char storage[ALERT_REASON_SIZE];
    struct text reason;
    struct letter *letter = letter_queue_take(&courier->queue);
    text_init(&reason, storage, sizeof storage);
    letter->attempts++;
    (void)pthread_mutex_unlock(&courier->mutex);
    enum receipt receipt =
        courier->receiver->deliver(courier->receiver, bytes_of(letter->body, letter->size), &reason);
    (void)pthread_mutex_lock(&courier->mutex);
    settle(courier, letter, receipt, &reason);
}

static void wait_until(struct courier *courier, int64_t due_us)
{
    const struct timespec until = { .tv_sec = (time_t)(due_us / second_us),
                                    .tv_nsec = (long)(due_us % second_us * 1000) };
    if (due_us == INT64_MAX)
        (void)pthread_cond_wait(&courier->condition, &courier->mutex);
    else
        (void)pthread_cond_timedwait(&courier->condition, &courier->mutex, &until);
}

static void *courier_run(void *argument)
{
    struct courier *courier = argument;
    (void)pthread_mutex_lock(&courier->mutex);
    while (!atomic_load(&courier->is_ending)) {
        int64_t due_us = letter_queue_due(&courier->queue);
        if (due_us > now_us())
            wait_until(courier, due_us);
        else
            deliver_next(courier);
    }
    (void)pthread_mutex_unlock(&courier->mutex);
    return NULL;
}

static bool condition_init(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool is_ready = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                    pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return is_ready;
}

static bool courier_start(struct courier *courier)
{
    if (pthread_mutex_init(&courier->mutex, NULL) != 0)
        return false;
    if (condition_init(&courier->condition)) {
        if (pthread_create(&courier->thread, NULL, courier_run, courier) == 0)
            return true;
        (void)pthread_cond_destroy(&courier->condition);
    }
    (void)pthread_mutex_destroy(&courier->mutex);
    return false;
}

struct courier *courier_create(struct receiver *receiver, const struct alert_options *options)
{
    struct courier *courier = receiver != NULL ? calloc(1, sizeof *courier) : NULL;
    if (courier == NULL) {
        if (receiver != NULL)
            receiver->destroy(receiver);
        return NULL;
    }
    courier->receiver = receiver;
    courier->give_up_us = options->give_up_us;
    if (getrandom(&courier->random, sizeof courier->random, 0) < 0 || courier->random == 0)
        courier->random = 1;
    letter_queue_init(&courier->queue, options->queue_most);
    receiver->is_ending = &courier->is_ending;
    if (courier_start(courier))
        return courier;
    receiver->destroy(receiver);
    free(courier);
    return NULL;
}

size_t courier_destroy(struct courier *courier)
{
    (void)pthread_mutex_lock(&courier->mutex);
    atomic_store(&courier->is_ending, true);
    (void)pthread_cond_signal(&courier->condition);
    (void)pthread_mutex_unlock(&courier->mutex);
    courier->receiver->wake(courier->receiver);
    (void)pthread_join(courier->thread, NULL);
    size_t waited = letter_queue_release(&courier->queue);
    courier->receiver->destroy(courier->receiver);
    (void)pthread_cond_destroy(&courier->condition);
    (void)pthread_mutex_destroy(&courier->mutex);
    free(courier);
    return waited;
}

void courier_post(struct courier *courier, const struct incident_note *note, struct bytes body)
{
    struct letter *letter = letter_create(note, body, now_us());
    (void)pthread_mutex_lock(&courier->mutex);
    if (letter != NULL)
        letter_queue_add(&courier->queue, letter);
    else
        courier->queue.lost++;
    (void)pthread_cond_signal(&courier->condition);
    (void)pthread_mutex_unlock(&courier->mutex);
}

bool courier_report_take(struct courier *courier, struct alert_report *out)
{
    (void)pthread_mutex_lock(&courier->mutex);
    bool has_report = courier->report_count > 0;
    if (has_report) {
        *out = courier->reports[courier->report_first];
        courier->report_first = (courier->report_first + 1) % REPORTS_KEPT;
        courier->report_count--;
    }
    (void)pthread_mutex_unlock(&courier->mutex);
    return has_report;
}

uint64_t courier_lost_take(struct courier *courier)
{
    (void)pthread_mutex_lock(&courier->mutex);
    uint64_t lost = courier->queue.lost - courier->lost_told;
    courier->lost_told = courier->queue.lost;
    (void)pthread_mutex_unlock(&courier->mutex);
    return lost;
}

void courier_count(struct courier *courier, struct alert_totals *totals)
{
    (void)pthread_mutex_lock(&courier->mutex);
    for (size_t i = 0; i < ALERT_OUTCOME_COUNT; i++)
        totals->outcomes[i] += courier->outcomes[i];
    totals->lost += courier->queue.lost;
    (void)pthread_mutex_unlock(&courier->mutex);
}

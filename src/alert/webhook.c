/* SPDX-License-Identifier: PostgreSQL */
#include "receiver.h"

#include <curl/curl.h>
#include <stdlib.h>

enum { POLL_MS = 1000, MICROSECONDS_PER_MILLISECOND = 1000, STATUS_TIMEOUT = 408, STATUS_TOO_MANY = 429 };

struct webhook {
    struct receiver receiver;
    const char *url;
    int64_t timeout_us;
    CURLM *multi;
    struct curl_slist *headers;
};

static struct webhook *webhook_of(struct receiver *receiver)
{
    return CONTAINER_OF(receiver, struct webhook, receiver);
}

static void webhook_wake(struct receiver *receiver)
{
    (void)curl_multi_wakeup(webhook_of(receiver)->multi);
}

static void webhook_destroy(struct receiver *receiver)
{
    struct webhook *webhook = webhook_of(receiver);
    curl_slist_free_all(webhook->headers);
    (void)curl_multi_cleanup(webhook->multi);
    free(webhook);
}

/* The answer's body is of no interest. The parameters are as libcurl calls. */
/* NOLINTNEXTLINE(readability-non-const-parameter) */
static size_t on_answer(char *data, size_t size, size_t count, void *unused)
{
    (void)data;
    (void)unused;
    return size * count;
}

/* Certificates are verified, redirects are not followed: the operator has said where it goes. */
static CURL *attempt_create(const struct webhook *webhook, struct bytes body)
{
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return NULL;
    long timeout_ms = (long)(webhook->timeout_us / MICROSECONDS_PER_MILLISECOND);
    bool is_set = curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_URL, webhook->url) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)body.size) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_POSTFIELDS, (const char *)body.data) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, webhook->headers) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_answer) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
                  curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms) == CURLE_OK;
    if (is_set)
        return easy;
    curl_easy_cleanup(easy);
    return NULL;
}

/* Whether the transfer has ended, and how. */
static bool has_ended(CURLM *multi, CURLcode *code)
{
    int left;
    for (const CURLMsg *message; (message = curl_multi_info_read(multi, &left)) != NULL;) {
        if (message->msg == CURLMSG_DONE) {
            *code = message->data.result;
            return true;
        }
    }
    return false;
}

static CURLcode attempt_carry_out(const struct webhook *webhook)
{
    CURLcode code = CURLE_ABORTED_BY_CALLBACK;
    int running;
    while (!atomic_load(webhook->receiver.is_ending)) {
        if (curl_multi_perform(webhook->multi, &running) != CURLM_OK)
            return CURLE_FAILED_INIT;
        if (has_ended(webhook->multi, &code))
            return code;
        (void)curl_multi_poll(webhook->multi, NULL, 0, POLL_MS, NULL);
    }
    return code;
}

/* A status says whether the same may work later. */
static enum receipt judge(CURL *easy, CURLcode code, struct text *reason)
{
    long status = 0;
    if (code != CURLE_OK) {
        text_append_string(reason, curl_easy_strerror(code));
        return RECEIPT_TRY_AGAIN;
    }
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (status >= 200 && status < 300)
        return RECEIPT_DELIVERED;
    text_append_format(reason, "HTTP status %ld", status);
    bool is_passing = status >= 500 || status == STATUS_TIMEOUT || status == STATUS_TOO_MANY;
    return is_passing ? RECEIPT_TRY_AGAIN : RECEIPT_REFUSED;
}

static enum receipt webhook_deliver(struct receiver *receiver, struct bytes body, struct text *reason)
{
    struct webhook *webhook = webhook_of(receiver);
    CURL *easy = attempt_create(webhook, body);
    if (easy == NULL) {
        text_append_string(reason, "the transfer could not be set up");
        return RECEIPT_TRY_AGAIN;
    }
    CURLcode code = CURLE_FAILED_INIT;
    if (curl_multi_add_handle(webhook->multi, easy) == CURLM_OK) {
        code = attempt_carry_out(webhook);
        (void)curl_multi_remove_handle(webhook->multi, easy);
    }
    enum receipt receipt = judge(easy, code, reason);
    curl_easy_cleanup(easy);
    return receipt;
}

/* Scheme and host: path, query and user may hold secrets. */
static void name_take(const char *url, char name[static ALERT_TO_SIZE])
{
    char *host = NULL;
    struct text text;
    text_init(&text, name, ALERT_TO_SIZE);
    CURLU *parts = curl_url();
    if (parts != NULL && curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
        curl_url_get(parts, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        text_append_printable(&text, bytes_text(host));
    else
        text_append_string(&text, "webhook");
    curl_free(host);
    curl_url_cleanup(parts);
}

static bool header_add(struct webhook *webhook, const char *header)
{
    struct curl_slist *longer = curl_slist_append(webhook->headers, header);
    if (longer == NULL)
        return false;
    webhook->headers = longer;
    return true;
}

static bool headers_fill(struct webhook *webhook, const struct alert_options *options)
{
    bool is_filled = header_add(webhook, "Content-Type: application/json") &&
                     header_add(webhook, "User-Agent: pgsluice") && header_add(webhook, "Expect:");
    for (size_t index = 0; index < options->header_count; index++)
        is_filled = is_filled && header_add(webhook, options->headers[index]);
    return is_filled;
}

struct receiver *webhook_create(const struct alert_options *options)
{
    struct webhook *webhook = malloc(sizeof *webhook);
    if (webhook == NULL)
        return NULL;
    *webhook = (struct webhook){
        .receiver = { .deliver = webhook_deliver, .wake = webhook_wake, .destroy = webhook_destroy },
        .url = options->url,
        .timeout_us = options->timeout_us,
        .multi = curl_multi_init()
    };
    if (webhook->multi == NULL || !headers_fill(webhook, options)) {
        webhook_destroy(&webhook->receiver);
        return NULL;
    }
    name_take(options->url, webhook->receiver.name);
    return &webhook->receiver;
}

/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"

/* Values are secrets, and are not shown. */
static void check_webhook(const struct findings *findings)
{
    const struct webhook_settings *webhook = &findings->settings->alerts.webhook;
    struct bytes url = bytes_text(webhook->url);
    if (url.size > 0 && !bytes_start_with(url, "http://") && !bytes_start_with(url, "https://"))
        findings_fault(findings, "alerts.webhook.url", "does not begin with http:// or https://");
    for (size_t i = 0; i < webhook->headers.count; i++) {
        struct bytes header = bytes_text(webhook->headers.items[i]);
        size_t colon = bytes_find(header, ':');
        if (header.size > 0 && (colon == 0 || colon == header.size))
            findings_fault(findings, setting_path("alerts.webhook.headers[%zu]", i).text,
                           "is no header line: write \"NAME: VALUE\"");
    }
    if (url.size == 0 && webhook->headers.count > 0)
        findings_warn(findings, "alerts.webhook.headers",
                      "has no effect without alerts.webhook.url: set that, or leave it out");
}

static void check_command(const struct findings *findings)
{
    const struct alerts_settings *alerts = &findings->settings->alerts;
    const char *program = alerts->command.count > 0 ? alerts->command.items[0] : "";
    if (program[0] != '\0' && program[0] != '/')
        findings_fault(findings, "alerts.command[0]",
                       "is no full path: no shell looks for the program, so write it as /usr/local/bin/page");
}

void alerts_check(const struct findings *findings)
{
    const struct settings *settings = findings->settings;
    bool is_heard = settings->alerts.webhook.url[0] != '\0' || settings->alerts.command.count > 0;
    check_webhook(findings);
    check_command(findings);
    if (is_heard && !settings->incidents.record)
        findings_warn(findings, "alerts",
                      "has no effect while incidents.record is false: no incident is looked for");
}

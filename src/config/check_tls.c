/* SPDX-License-Identifier: PostgreSQL */
#include "config/check.h"
#include "config/schema.h"

/* A file that a section has or should have. */
struct file {
    const char *section; /* "listen[0].tls" */
    const char *name;    /* of the setting */
    const char *value;   /* "" where there is none */
    const char *example;
};

/* "mode require" or "the key": what needs the file. */
static void check_is_there(const struct findings *findings, const struct file *file, const char *what,
                           const char *name)
{
    struct setting_path path = setting_path("%s.%s", file->section, file->name);
    if (file->value[0] == '\0' && !findings_has_error(findings, path.text))
        findings_fault(findings, path.text,
                       "is missing, and %s %s needs it: write the path of a PEM file, such as %s: %s", what,
                       name, file->name, file->example);
}

/* A certificate is of no use without its key, nor a key without its certificate. */
static void check_pair(const struct findings *findings, const struct file *certificate,
                       const struct file *key)
{
    if (key->value[0] != '\0')
        check_is_there(findings, certificate, "the", key->name);
    if (certificate->value[0] != '\0')
        check_is_there(findings, key, "the", certificate->name);
}

static void check_client_ca(const struct findings *findings, const char *section,
                            const struct listen_tls_settings *tls)
{
    const char *mode = schema_word(CHOICE_setting_client_tls, tls->mode);
    const struct file client_ca = { section, "client_ca", tls->client_ca, "ca.crt" };
    if (tls->mode == CLIENT_TLS_VERIFY)
        check_is_there(findings, &client_ca, "mode", mode);
    else if (tls->client_ca[0] != '\0')
        findings_warn(findings, setting_path("%s.client_ca", section).text,
                      "has no effect with mode: %s, which asks no client for a certificate: write mode: "
                      "verify-client, or leave it out",
                      mode);
}

static void check_listen(const struct findings *findings, size_t index)
{
    const struct listen_tls_settings *tls = &findings->settings->listen.items[index].tls;
    struct setting_path section = setting_path("listen[%zu].tls", index);
    const struct file certificate = { section.text, "certificate", tls->certificate, "server.crt" };
    const struct file key = { section.text, "key", tls->key, "server.key" };
    if (findings_has_error(findings, setting_path("%s.mode", section.text).text))
        return;
    if (tls->mode != CLIENT_TLS_DISABLE && tls->certificate[0] == '\0' && tls->key[0] == '\0') {
        const char *mode = schema_word(CHOICE_setting_client_tls, tls->mode);
        check_is_there(findings, &certificate, "mode", mode);
        check_is_there(findings, &key, "mode", mode);
    }
    check_pair(findings, &certificate, &key);
    check_client_ca(findings, section.text, tls);
}

/* With libpq a root certificate makes require mean verify-ca, for the sake of its past; here a mode is what
 * it says. */
static void check_ca(const struct findings *findings, const char *section,
                     const struct upstream_tls_settings *tls)
{
    bool verifies = tls->mode == SERVER_TLS_VERIFY_CA || tls->mode == SERVER_TLS_VERIFY_FULL;
    const char *mode = schema_word(CHOICE_setting_server_tls, tls->mode);
    struct setting_path path = setting_path("%s.ca", section);
    if (!verifies && tls->ca[0] != '\0')
        findings_warn(findings, path.text,
                      "has no effect with mode: %s, which verifies no certificate (nor does require here, "
                      "other than with libpq): write mode: verify-ca or verify-full, or leave it out",
                      mode);
    if (tls->mode == SERVER_TLS_VERIFY_CA && tls->ca[0] == '\0' && !findings_has_error(findings, path.text))
        findings_warn(findings, setting_path("%s.mode", section).text,
                      "verify-ca without ca takes every certificate that somebody known to the system has "
                      "signed, for whatever host: name the ca, or write verify-full");
}

static void check_direct(const struct findings *findings, const char *section,
                         const struct upstream_tls_settings *tls)
{
    if (tls->direct && tls->mode < SERVER_TLS_REQUIRE)
        findings_fault(
            findings, setting_path("%s.direct", section).text,
            "true needs TLS for certain, and mode: %s may do without: write mode: require, verify-ca "
            "or verify-full, or direct: false",
            schema_word(CHOICE_setting_server_tls, tls->mode));
}

static bool has_only_sockets(const struct upstream_settings *upstream)
{
    size_t count = 0;
    while (count < upstream->hosts.count && upstream->hosts.items[count].family == ADDRESS_UNIX)
        count++;
    return count > 0 && count == upstream->hosts.count;
}

static bool may_encrypt(const struct upstream_settings *upstream)
{
    return upstream->tls.mode != SERVER_TLS_DISABLE && !has_only_sockets(upstream);
}

static void check_upstream(const struct findings *findings, size_t index)
{
    const struct upstream_settings *upstream = &findings->settings->upstreams.items[index];
    const struct upstream_tls_settings *tls = &upstream->tls;
    struct setting_path section = setting_path("upstreams[%zu].tls", index);
    struct setting_path mode = setting_path("%s.mode", section.text);
    const struct file certificate = { section.text, "certificate", tls->certificate, "client.crt" };
    const struct file key = { section.text, "key", tls->key, "client.key" };
    check_pair(findings, &certificate, &key);
    if (findings_has_error(findings, mode.text))
        return;
    check_ca(findings, section.text, tls);
    check_direct(findings, section.text, tls);
    if (tls->mode != SERVER_TLS_DISABLE && has_only_sockets(upstream))
        findings_warn(findings, mode.text,
                      "has no effect: all hosts of \"%s\" are Unix sockets, which are never encrypted; write "
                      "mode: disable, or leave tls out",
                      upstream->name);
}

/* The number of the first upstream to which the listener may lead that encrypts too; their count when there
 * is none. */
static size_t find_encrypted(const struct settings *settings, const struct listen_settings *listen)
{
    size_t index = 0;
    while (index < settings->upstreams.count &&
           !(may_encrypt(&settings->upstreams.items[index]) &&
             listen_leads_to(listen, settings->upstreams.items[index].name)))
        index++;
    return index;
}

/* Channel binding ties a login to the certificate that the client was shown: RFC 5929, 4. */
static void check_binding(const struct findings *findings, size_t index)
{
    const struct settings *settings = findings->settings;
    const struct listen_settings *listen = &settings->listen.items[index];
    size_t upstream = find_encrypted(settings, listen);
    if (listen->tls.mode == CLIENT_TLS_DISABLE || upstream == settings->upstreams.count)
        return;
    findings_warn(
        findings, setting_path("listen[%zu].tls.mode", index).text,
        "upstreams[%zu].tls.mode encrypts too: clients that use channel binding with SCRAM (the "
        "default of libpq) can log in only if the server shows the very certificate of this listener; "
        "if it does not, set channel_binding=disable in the clients, or leave one of both without TLS",
        upstream);
}

void tls_check(const struct findings *findings)
{
    for (size_t i = 0; i < findings->settings->listen.count; i++) {
        check_listen(findings, i);
        check_binding(findings, i);
    }
    for (size_t i = 0; i < findings->settings->upstreams.count; i++)
        check_upstream(findings, i);
}

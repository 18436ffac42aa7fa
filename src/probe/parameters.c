/* SPDX-License-Identifier: PostgreSQL */
#include "probe/parameters.h"

#include "probe/question.h"

#include <arpa/inet.h>
#include <stdlib.h>

static const char socket_prefix[] = ".s.PGSQL.";

/* What we set whatever the connection string says; of double keywords libpq takes the last, and it would take
 * the environment's for those that are not there. */
static const struct fixed {
    const char *keyword;
    const char *value;
} fixed[] = {
    { "client_encoding", "UTF8" },
    { "target_session_attrs", "any" }, /* the verdict is ours: libpq would call a standby a failure */
};

enum { OWN_MOST = COUNT_OF(fixed) + 9 };

static bool refuse(struct text *why, const char *reason)
{
    text_append_string(why, reason);
    return false;
}

static const char *given_value(const PQconninfoOption *given, const char *keyword)
{
    while (given->keyword != NULL && strcmp(given->keyword, keyword) != 0)
        given++;
    return given->val;
}

/* libpq's own words are not passed on: they repeat parts of the string, which may be those of a password. */
static PQconninfoOption *string_parse(const char *conninfo, struct text *why)
{
    char *error = NULL;
    PQconninfoOption *given = PQconninfoParse(conninfo, &error);
    PQfreemem(error);
    if (given == NULL)
        (void)refuse(
            why,
            "this is no libpq connection string: that has the form key=value key='a value', or is a URI");
    return given;
}

static PQconninfoOption *conninfo_parse(const char *conninfo, struct text *why)
{
    static const char *const ours[] = { "host", "hostaddr", "port" };
    PQconninfoOption *given = string_parse(conninfo, why);
    for (size_t i = 0; given != NULL && i < COUNT_OF(ours); i++) {
        if (given_value(given, ours[i]) != NULL) {
            text_append_format(why, "the connection string must not set %s: that is the upstream's", ours[i]);
            PQconninfoFree(given);
            return NULL;
        }
    }
    return given;
}

bool probe_conninfo_check(const char *conninfo, struct text *why)
{
    PQconninfoOption *given = conninfo_parse(conninfo, why);
    bool is_sound = given != NULL;
    PQconninfoFree(given);
    return is_sound;
}

/* A sign of a password that a URI does not allow there cuts it in two, and libpq takes the one part for the
 * host or port, of which it tells when it does not find them. */
static bool is_place(const PQconninfoOption *given)
{
    const char *host = given_value(given, "host");
    const char *port = given_value(given, "port");
    bool is_host = host == NULL || host[0] == '/' || host[0] == '@' || strchr(host, '@') == NULL;
    return is_host && (port == NULL || port[strspn(port, "0123456789,")] == '\0');
}

bool question_conninfo_check(const char *conninfo, struct text *why)
{
    PQconninfoOption *given = string_parse(conninfo, why);
    bool is_sound = given != NULL && is_place(given);
    if (given != NULL && !is_sound)
        (void)refuse(why, "its host or port cannot be one: a URI has @ : / of a password as %40 %3A %2F");
    PQconninfoFree(given);
    return is_sound;
}

/* libpq wants the folder of a socket, and the port that its name ends with. */
static bool socket_split(struct parameters *parameters, const char *path, struct text *why)
{
    const char *name = strrchr(path, '/');
    struct bytes folder = bytes_of(path, name == NULL ? 0 : (size_t)(name - path));
    bool is_named_so = name != NULL && bytes_start_with(bytes_text(name + 1), socket_prefix);
    const char *port = is_named_so ? name + sizeof socket_prefix : "";
    if (port[0] == '\0' || bytes_find(folder, ',') < folder.size)
        return refuse(why,
                      "libpq asks only sockets that are called .s.PGSQL.PORT, in a folder without comma");
    if (folder.size == 0)
        folder = bytes_text("/");
    return (bytes_copy_text(folder, parameters->host, sizeof parameters->host) &&
            bytes_copy_text(bytes_text(port), parameters->port, sizeof parameters->port)) ||
           refuse(why, "the path of the socket is too long");
}

static bool place_set(struct parameters *parameters, const struct address *host, struct text *why)
{
    struct text port;
    text_init(&port, parameters->port, sizeof parameters->port);
    text_append_format(&port, "%u", host->port);
    switch (host->family) {
    case ADDRESS_IPV4:
    case ADDRESS_IPV6:
        parameters->is_ip = true;
        return inet_ntop(host->family == ADDRESS_IPV4 ? AF_INET : AF_INET6, host->ip, parameters->host,
                         sizeof parameters->host) != NULL;
    case ADDRESS_NAME:
        return bytes_copy_text(bytes_text(host->text), parameters->host, sizeof parameters->host);
    case ADDRESS_UNIX:
        return socket_split(parameters, host->text, why);
    case ADDRESS_NONE:
        break;
    }
    return refuse(why, "there is no address");
}

/* What we ask needs no search path; a fixed one sees to it that it never will. */
static bool options_set(struct parameters *parameters, const char *further, struct text *why)
{
    const char *options = given_value(parameters->given, "options");
    struct text text;
    text_init(&text, parameters->options, sizeof parameters->options);
    text_append_string(&text, options != NULL ? options : "");
    text_append_string(&text, " -c search_path=pg_catalog");
    text_append_string(&text, further);
    return !text.is_truncated || refuse(why, "the connection string's options are too long");
}

static void parameters_add(struct parameters *parameters, const char *keyword, const char *value)
{
    parameters->keywords[parameters->count] = keyword;
    parameters->values[parameters->count++] = value;
}

/* A password had better not go to whom the sessions would not trust. */
static void encryption_add(struct parameters *parameters, const struct probe_plan *plan)
{
    parameters_add(parameters, "sslmode", plan->sslmode);
    parameters_add(parameters, "sslrootcert", plan->sslrootcert);
    parameters_add(parameters, "sslcert", plan->sslcert);
    parameters_add(parameters, "sslkey", plan->sslkey);
}

static bool parameters_fill(struct parameters *parameters, const struct probe_plan *plan,
                            const char *application_name, struct text *why)
{
    size_t most = OWN_MOST + 1;
    for (const PQconninfoOption *option = parameters->given; option->keyword != NULL; option++)
        most++;
    parameters->keywords = calloc(most, sizeof(const char *));
    parameters->values = calloc(most, sizeof(const char *));
    if (parameters->keywords == NULL || parameters->values == NULL)
        return refuse(why, "memory is short");
    encryption_add(parameters, plan);
    for (const PQconninfoOption *option = parameters->given; option->keyword != NULL; option++) {
        if (option->val != NULL)
            parameters_add(parameters, option->keyword, option->val);
    }
    if (plan->host != NULL) {
        parameters_add(parameters, "host", parameters->host);
        parameters_add(parameters, "port", parameters->port);
    }
    if (parameters->is_ip)
        parameters_add(parameters, "hostaddr", parameters->host);
    parameters_add(parameters, "options", parameters->options);
    parameters_add(parameters, "fallback_application_name", application_name);
    for (size_t i = 0; i < COUNT_OF(fixed); i++)
        parameters_add(parameters, fixed[i].keyword, fixed[i].value);
    return true;
}

bool parameters_init_for(struct parameters *parameters, const struct probe_plan *plan,
                         const char *application_name, const char *further_options, struct text *why)
{
    bool has_host = plan->host != NULL;
    *parameters = (struct parameters){
        .is_in_string = !has_host,
        .given = has_host ? conninfo_parse(plan->conninfo, why) : string_parse(plan->conninfo, why),
    };
    if (parameters->given != NULL && (!has_host || place_set(parameters, plan->host, why)) &&
        options_set(parameters, further_options, why) &&
        parameters_fill(parameters, plan, application_name, why))
        return true;
    parameters_release(parameters);
    return false;
}

bool parameters_init(struct parameters *parameters, const struct probe_plan *plan, struct text *why)
{
    return parameters_init_for(parameters, plan, "pgsluice", "", why);
}

void parameters_release(struct parameters *parameters)
{
    PQconninfoFree(parameters->given);
    free(parameters->keywords);
    free(parameters->values);
}

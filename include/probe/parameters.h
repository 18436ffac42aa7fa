/* SPDX-License-Identifier: PostgreSQL */
#ifndef PROBE_PARAMETERS_H
#define PROBE_PARAMETERS_H

#include "probe/probe.h"

#include <libpq-fe.h>

/* What PQconnectStartParams is called with. */
enum { PARAMETERS_PORT_SIZE = 6, PARAMETERS_OPTIONS_SIZE = 2048 };

struct parameters {
    PQconninfoOption *given; /* in the connection string */
    const char **keywords;   /* both end with NULL */
    const char **values;
    size_t count;
    char host[ADDRESS_TEXT_SIZE]; /* an IP address, a name or the folder of a socket */
    bool is_ip;
    bool is_in_string; /* the connection string says where the server is; host and port are empty */
    char port[PARAMETERS_PORT_SIZE];
    char options[PARAMETERS_OPTIONS_SIZE];
};

/* What the plan comes to. False and `why` when they cannot be had, without a
 * word of the values; there is nothing to release then. */
MUST_USE bool parameters_init(struct parameters *parameters, const struct probe_plan *plan, struct text *why);
/* The same for another purpose: its application name, unless the string has one, and further options of the
 * session, " -c name=value" each. Where plan->host is NULL, the string says where the server is. */
MUST_USE bool parameters_init_for(struct parameters *parameters, const struct probe_plan *plan,
                                  const char *application_name, const char *further_options,
                                  struct text *why);
void parameters_release(struct parameters *parameters);

#endif

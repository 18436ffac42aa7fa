/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_INCIDENT_NOTE_H
#define OBSERVE_INCIDENT_NOTE_H

#include "observe/incident.h"
#include "observe/suspect.h"

/* What there is to say of an incident, put together from all who know of it: what the log, the console, the
 * history and the alerts tell. */

enum { NOTE_DEFINITION_SIZE = 1024 };

struct incident_note {
    enum incident_news news;
    struct incident incident;
    /* Of the most frequent violation or error behind it; empty where not known. */
    char database[NAME_SIZE];
    char sqlstate[6];
    char kind[24]; /* violation_kind_name, or the condition's name */
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    char statement[SHOWN_TEXT_SIZE]; /* masked */
    char route[ROUTE_SIZE];
    /* Of the catalogue; empty where it knows nothing. */
    char definition[NOTE_DEFINITION_SIZE]; /* in force, with the allowed values */
    char difference[DIFFERENCE_SIZE];      /* what was changed in the newest version */
    char near_miss[256]; /* "'cancelled' is 1 letter off 'canceled'": only with capture: values */
    struct suspect suspects[SUSPECTS_MOST]; /* newest first */
    size_t suspect_count;
};

#endif

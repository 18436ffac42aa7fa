/* SPDX-License-Identifier: PostgreSQL */
#ifndef OBSERVE_INCIDENT_NOTE_H
#define OBSERVE_INCIDENT_NOTE_H

#include "observe/incident.h"
#include "observe/suspect.h"
#include "observe/totals.h"

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
    char column[NAME_SIZE];
    char constraint[NAME_SIZE];
    char datatype[NAME_SIZE];
    char fingerprint[FINGERPRINT_TEXT_SIZE];
    char statement[SHOWN_TEXT_SIZE]; /* masked */
    char route[ROUTE_SIZE];
    /* Of the catalogue; empty where it knows nothing. */
    char definition[NOTE_DEFINITION_SIZE]; /* in force, with the allowed values */
    char difference[DIFFERENCE_SIZE];      /* what was changed in the newest version */
    char near_miss[NEAR_MISS_SIZE]; /* "'cancelled' is 1 letter off 'canceled'": only with capture: values */
    struct suspect suspects[SUSPECTS_MOST]; /* likeliest first */
    size_t suspect_count;
};

/* Says how the incident stands, and what `totals` knows of the most frequent violation or error behind it;
 * what others know is left as it is. */
void incident_note_fill(struct incident_note *note, enum incident_news news, const struct incident *incident,
                        const struct totals *totals);
const char *incident_news_name(enum incident_news news);          /* "started", "grew", "ended" */
const char *incident_subject_name(enum incident_subject subject); /* "constraint", "family" */
/* What a violation is counted under beside its table: its constraint, or its column where it names none. */
const char *violation_subject(const struct violation *violation);
/* Appends a suspect for people: when, who, what. */
void suspect_describe(const struct suspect *suspect, struct text *out);

#endif

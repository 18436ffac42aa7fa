/* SPDX-License-Identifier: PostgreSQL */
#ifndef ALERT_PAYLOAD_H
#define ALERT_PAYLOAD_H

#include "base/buffer.h"
#include "observe/incident_note.h"

/* What receivers of alerts get: one JSON object. Keys never change their meaning, and all of them are always
 * there; what is not known is null. */

enum { PAYLOAD_VERSION = 1, PAYLOAD_SIZE_MOST = 64 * 1024 };

/* Appends it. */
void payload_write(const struct incident_note *note, struct buffer *out);

#endif

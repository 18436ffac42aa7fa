/* SPDX-License-Identifier: PostgreSQL */
#ifndef CONFIG_WINDOW_FORM_H
#define CONFIG_WINDOW_FORM_H

#include "config/settings.h"

/* In which form the times of a window are written: FORM(SYMBOL, what it is called), in the order in which
 * what is written decides. */
#define WINDOW_FORMS(FORM)                                                                                   \
    FORM(CALENDAR, "a window of a calendar")                                                                 \
    FORM(RULE, "a window with rrule")                                                                        \
    FORM(ONCE, "a window that opens once")                                                                   \
    FORM(WEEKLY, "a weekly window")

enum setting_form {
#define FORM(symbol, name) FORM_##symbol,
    WINDOW_FORMS(FORM)
#undef FORM
};

/* The form of the window, by what is written of it. */
enum setting_form window_form(const struct window_settings *window);

#endif

/* SPDX-License-Identifier: PostgreSQL */
#ifndef BASE_ATTRIBUTES_H
#define BASE_ATTRIBUTES_H

/* The caller must look at the result. */
#define MUST_USE __attribute__((warn_unused_result))
/* Checked as printf's arguments are. */
#define PRINTF_LIKE(format_at, arguments_at) __attribute__((format(printf, format_at, arguments_at)))

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
/* From a member that is embedded in a structure to the structure. */
#define CONTAINER_OF(member_pointer, type, member) ((type *)((char *)(member_pointer)-offsetof(type, member)))

#endif

/* SPDX-License-Identifier: PostgreSQL */
#include "app/command_line.h"

#include "app/classify.h"
#include "app/clock.h"
#include "app/complaint.h"
#include "app/plan.h"
#include "app/report.h"
#include "app/sluice.h"
#include "app/surveyor.h"
#include "app/windows_command.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { EXIT_USAGE = 2 };

/* What the arguments said. */
struct arguments {
    const char *config; /* NULL where it was not said */
    const char *script; /* NULL so */
    bool wants_sample;
    struct windows_question windows;
    const char *at; /* as it was said, or NULL; so below */
    const char *history;
    const char *since;
    const char *until;
    const char *format;
    const char *service; /* empty where it was not said, here and below */
    const char *user;
    const char *database;
};

struct subcommand {
    const char *name;
    const char *about;
    int (*run)(const struct arguments *arguments);
};

static int run_run(const struct arguments *arguments);
static int run_check(const struct arguments *arguments);
static int run_windows(const struct arguments *arguments);
static int run_classify(const struct arguments *arguments);
static int run_report(const struct arguments *arguments);

static const struct subcommand subcommands[] = {
    { "run", "carry traffic and guard it, until SIGTERM", run_run },
    { "check", "read the settings and show every problem", run_check },
    { "windows", "show what is open, and what opens next", run_windows },
    { "classify", "tell of each statement of a script what the guard makes of it", run_classify },
    { "report", "tell what happened in the last hour, or another period", run_report },
};

static const char default_config[] = "/etc/pgsluice/pgsluice.yaml";

static void print_help(FILE *out)
{
    (void)fprintf(
        out,
        "pgsluice carries PostgreSQL's wire protocol between applications and servers, attributes every\n"
        "constraint violation, and lets schema changes pass only in maintenance windows.\n\n"
        "Usage:\n");
    for (size_t index = 0; index < COUNT_OF(subcommands); index++)
        (void)fprintf(out, "  pgsluice %-8s [--config FILE]  %s\n", subcommands[index].name,
                      subcommands[index].about);
    (void)fprintf(
        out,
        "  pgsluice check --print-sample    print a settings file with every setting and its default\n"
        "  pgsluice windows [--next %d] [--at RFC3339] [--json]\n"
        "                                   so many that open next (0 to %d), as of another moment, for "
        "programs\n"
        "  pgsluice classify SCRIPT [--at RFC3339] [--service NAME] [--user NAME] [--database NAME] "
        "[--json]\n"
        "                                   SCRIPT may be - for the standard input; without --config "
        "neither\n"
        "                                   windows nor rules are asked\n"
        "  pgsluice report [--history FILE] [--since 1h] [--until RFC3339] [--service NAME] "
        "[--format text|json|md]\n"
        "                                   from the history, whether the program runs or not\n"
        "  pgsluice --version\n"
        "  pgsluice --help\n\n"
        "The default FILE is %s. SIGHUP reloads it; SIGTERM lets sessions\n"
        "finish, then ends. The console: psql -h 127.0.0.1 -p 6433 pgsluice, then HELP.\n",
        (int)WINDOWS_NEXT_STANDARD, (int)WINDOWS_NEXT_MOST, default_config);
}

static const char *config_of(const struct arguments *arguments)
{
    return arguments->config != NULL ? arguments->config : default_config;
}

static int run_run(const struct arguments *arguments)
{
    return sluice_run(config_of(arguments));
}

static int run_classify(const struct arguments *arguments)
{
    return classify_run(&(struct classify_request){ .path = arguments->script,
                                                    .config = arguments->config,
                                                    .at = arguments->at,
                                                    .service = arguments->service,
                                                    .user = arguments->user,
                                                    .database = arguments->database,
                                                    .wants_json = arguments->windows.wants_json });
}

static int usage_error(const char *what, const char *word)
{
    (void)fprintf(stderr, "pgsluice: %s%s\nTry: pgsluice --help\n", what, word);
    return EXIT_USAGE;
}

static int report_of(const struct arguments *arguments, const char *history)
{
    return report_run(&(struct report_request){ .history = history,
                                                .since = arguments->since,
                                                .until = arguments->until,
                                                .service = arguments->service,
                                                .format = arguments->format });
}

/* Of the history that the settings name, where none is given. */
static int run_report(const struct arguments *arguments)
{
    if (arguments->history != NULL)
        return report_of(arguments, arguments->history);
    struct problems *problems = malloc(sizeof(*problems));
    struct settings *settings = NULL;
    int status = EXIT_FAILURE;
    if (problems == NULL)
        return status;
    problems_init(problems);
    bool is_good = settings_load(config_of(arguments), &settings, problems);
    if (is_good)
        status = report_of(arguments, settings->history.file);
    else /* what settings are only warned of is for check to say */
        complain(problems);
    settings_release(settings);
    free(problems);
    return status;
}

static int print_sample(void)
{
    struct buffer sample;
    buffer_init(&sample, 1024 * 1024);
    settings_write_sample(&sample);
    bool is_written = !sample.has_failed && fwrite(sample.data, 1, sample.size, stdout) == sample.size;
    buffer_release(&sample);
    return is_written ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_check(const struct arguments *arguments)
{
    struct problems *problems = malloc(sizeof(*problems));
    struct settings *settings = NULL;
    struct plan plan = { .windows = NULL };
    struct transport transport = { .settings = NULL };
    static const struct hash_key any_key;
    if (arguments->wants_sample) {
        free(problems);
        return print_sample();
    }
    if (problems == NULL)
        return EXIT_FAILURE;
    problems_init(problems);
    bool is_good = settings_load(config_of(arguments), &settings, problems) &&
                   surveyor_check(settings, problems) &&
                   plan_create(&plan, settings, clock_now(), problems) &&
                   transport_create(&transport, settings, &any_key, clock_now(), problems);
    complain(problems);
    if (is_good)
        (void)printf("%s: good\n", config_of(arguments));
    transport_release(&transport);
    plan_release(&plan);
    settings_release(settings);
    free(problems);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int run_windows(const struct arguments *arguments)
{
    struct problems *problems = malloc(sizeof(*problems));
    struct settings *settings = NULL;
    struct plan plan = { .windows = NULL };
    if (problems == NULL)
        return EXIT_FAILURE;
    problems_init(problems);
    bool is_good = settings_load(config_of(arguments), &settings, problems) &&
                   plan_create(&plan, settings, clock_now(), problems);
    complain(problems);
    is_good = is_good && windows_print(&plan, &arguments->windows);
    plan_release(&plan);
    settings_release(settings);
    free(problems);
    return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}

static bool number_read(const char *text, uint32_t most, uint32_t *number)
{
    *number = 0;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at < '0' || *at > '9')
            return false;
        *number = *number * 10 + (uint32_t)(*at - '0');
        if (*number > most)
            return false;
    }
    return text[0] != '\0';
}

/* Takes an option of the subcommand; false when it has none such or its value is wrong. */
static bool option_take(const struct subcommand *subcommand, int option, struct arguments *read)
{
    bool is_windows = subcommand->run == run_windows;
    bool is_classify = subcommand->run == run_classify;
    bool is_report = subcommand->run == run_report;
    switch (option) {
    case 'c':
        read->config = optarg;
        return true;
    case 's':
        read->wants_sample = true;
        return subcommand->run == run_check;
    case 'n':
        return is_windows && number_read(optarg, WINDOWS_NEXT_MOST, &read->windows.next);
    case 'a':
        read->at = optarg;
        return is_classify || (is_windows && instant_parse(optarg, &read->windows.at_us));
    case 'j':
        read->windows.wants_json = true;
        return is_windows || is_classify;
    case 'S':
        read->service = optarg;
        return is_classify || is_report;
    case 'U':
        read->user = optarg;
        return is_classify;
    case 'D':
        read->database = optarg;
        return is_classify;
    case 'H':
        read->history = optarg;
        return is_report;
    case 'F':
        read->since = optarg;
        return is_report;
    case 'T':
        read->until = optarg;
        return is_report;
    case 'O':
        read->format = optarg;
        return is_report;
    default:
        return false;
    }
}

static int subcommand_run(const struct subcommand *subcommand, int argument_count, char **arguments)
{
    static const struct option options[] = {
        { "config", required_argument, NULL, 'c' },
        { "print-sample", no_argument, NULL, 's' },
        { "next", required_argument, NULL, 'n' },
        { "at", required_argument, NULL, 'a' },
        { "json", no_argument, NULL, 'j' },
        { "service", required_argument, NULL, 'S' },
        { "user", required_argument, NULL, 'U' },
        { "database", required_argument, NULL, 'D' },
        { "history", required_argument, NULL, 'H' },
        { "since", required_argument, NULL, 'F' },
        { "until", required_argument, NULL, 'T' },
        { "format", required_argument, NULL, 'O' },
        { NULL, 0, NULL, 0 },
    };
    struct arguments read = { .windows = { .at_us = clock_now(), .next = WINDOWS_NEXT_STANDARD },
                              .service = "",
                              .user = "",
                              .database = "" };
    bool has_script = subcommand->run == run_classify;
    int option;
    opterr = 0;
    while ((option = getopt_long(argument_count, arguments, "c:", options, NULL)) != -1) {
        if (!option_take(subcommand, option, &read))
            return usage_error("not an option here, or its value is missing or wrong: ",
                               arguments[optind - 1]);
    }
    if (has_script && optind == argument_count)
        return usage_error("which script? - is the standard input", "");
    read.script = has_script ? arguments[optind++] : NULL;
    if (optind < argument_count)
        return usage_error("more words than expected: ", arguments[optind]);
    return subcommand->run(&read);
}

int command_line_run(int argument_count, char **arguments)
{
    const char *first = argument_count > 1 ? arguments[1] : "";
    if (strcmp(first, "--version") == 0) {
        (void)printf("pgsluice %s\n", PGSLUICE_VERSION);
        return EXIT_SUCCESS;
    }
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        print_help(stdout);
        return EXIT_SUCCESS;
    }
    for (size_t index = 0; index < COUNT_OF(subcommands); index++)
        if (strcmp(first, subcommands[index].name) == 0)
            return subcommand_run(&subcommands[index], argument_count - 1, arguments + 1);
    if (first[0] == '\0') {
        print_help(stderr);
        return EXIT_USAGE;
    }
    return usage_error("unknown command: ", first);
}

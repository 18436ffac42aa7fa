/* SPDX-License-Identifier: PostgreSQL */
#include "sql/advice.h"

#include "sql/token_walk.h"

struct advice_row {
    const char *command;
    uint8_t level; /* 0: any */
    const char *words;
    struct advice advice;
};

static const struct advice_row rows[] = {
#define ADVICE(command, level, words, lock, why, instead) { command, level, words, { lock, why, instead } },
#include "sql/advice.def"
#undef ADVICE
};

static bool begins_with(const char *name, const char *words)
{
    size_t size = strlen(words);
    return strncmp(name, words, size) == 0 && (name[size] == '\0' || name[size] == ' ');
}

/* Takes the next of some words in capitals; true when the token is that word. */
static bool take_word(const char **words, const struct token *token)
{
    const char *end = strchr(*words, ' ');
    size_t size = end != NULL ? (size_t)(end - *words) : strlen(*words);
    struct bytes word = bytes_of(*words, size);
    bool is_any = bytes_equal_text(word, "_");
    bool is_open = bytes_equal_text(word, "(") && token->kind == TOKEN_OPEN;
    bool is_same = token->kind == TOKEN_WORD && bytes_equal_folded(word, token->word);
    if (is_any || is_open || is_same)
        *words += end != NULL ? size + 1 : size;
    return is_any || is_open || is_same;
}

/* Moves the walk behind the words of the command, whatever stands between them. */
static void skip_command(struct token_walk *walk, const char *command)
{
    struct token token;
    while (command[0] != '\0' && token_walk_next_word(walk, &token))
        (void)take_word(&command, &token);
}

static bool has_words_here(struct token_walk walk, const char *words)
{
    struct token token;
    while (words[0] != '\0') {
        if (!token_walk_next_word(&walk, &token) || !take_word(&words, &token))
            return false;
    }
    return true;
}

static bool has_words(struct token_walk walk, const char *words)
{
    struct token token;
    do {
        if (has_words_here(walk, words))
            return true;
    } while (token_walk_next_word(&walk, &token));
    return false;
}

const struct advice *advice_of(struct bytes statement, struct lexer_reading reading,
                               const struct verdict *verdict)
{
    struct token_walk walk;
    token_walk_begin(&walk, statement, reading);
    skip_command(&walk, verdict->command);
    bool is_locking = verdict->class == CLASS_LOCK || verdict->class == CLASS_OPAQUE;
    if (verdict->level == LEVEL_NONE && !is_locking)
        return NULL;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool fits = rows[i].level == 0 || rows[i].level == (uint8_t)verdict->level;
        if (fits && begins_with(verdict->command, rows[i].command) && has_words(walk, rows[i].words))
            return &rows[i].advice;
    }
    return NULL;
}

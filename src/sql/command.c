/* SPDX-License-Identifier: PostgreSQL */
#include "sql/command.h"

#include "base/attributes.h"

static const struct command commands[] = {
#define COMMAND(class, level, shape, privacy, name)                                                          \
    { name, CLASS_##class, (enum safety_level)level, SHAPE_##shape, PRIVACY_##privacy },
#include "sql/commands.def"
#undef COMMAND
};

static const struct command select_into = { "SELECT INTO", CLASS_ADDITIVE, LEVEL_ADDITIVE, SHAPE_PLAIN,
                                            PRIVACY_USUAL };

/* Whether `name` has the word (given in lower case) at `at`, as a whole. */
static bool has_word_at(const char *name, size_t at, struct bytes word)
{
    for (size_t i = 0; i < word.size; i++) {
        uint8_t byte = (uint8_t)name[at + i];
        uint8_t folded = byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte | 0x20) : byte;
        if (byte == '\0' || folded != word.data[i])
            return false;
    }
    return name[at + word.size] == '\0' || name[at + word.size] == ' ';
}

bool command_path_begin(struct command_path *path, struct bytes word)
{
    *path = (struct command_path){ COMMAND_UNKNOWN, 0 };
    for (size_t i = 0; word.size > 0 && i < COUNT_OF(commands); i++) {
        bool may_be = ((uint8_t)commands[i].name[0] | 0x20) == word.data[0];
        if (may_be && has_word_at(commands[i].name, 0, word)) {
            *path = (struct command_path){ (uint16_t)i, (uint16_t)word.size };
            return true;
        }
    }
    return false;
}

static bool has_prefix(const char *name, const struct command_path *path)
{
    const char *words = commands[path->row].name;
    return name[0] == words[0] && strncmp(name, words, path->length) == 0;
}

bool command_path_extend(struct command_path *path, struct bytes word)
{
    /* No other command begins with the words of a harmless one. */
    if (path->row == COMMAND_UNKNOWN || command_is_harmless(&commands[path->row]))
        return false;
    for (size_t i = path->row; i < COUNT_OF(commands); i++) {
        const char *name = commands[i].name;
        if (has_prefix(name, path) && name[path->length] == ' ' &&
            has_word_at(name, path->length + 1u, word)) {
            *path = (struct command_path){ (uint16_t)i, (uint16_t)(path->length + 1 + word.size) };
            return true;
        }
    }
    return false;
}

static const struct command *find_exact(const char *words, size_t length)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++) {
        if (commands[i].name[0] == words[0] && strncmp(commands[i].name, words, length) == 0 &&
            commands[i].name[length] == '\0')
            return &commands[i];
    }
    return NULL;
}

const struct command *command_path_end(const struct command_path *path)
{
    if (path->row == COMMAND_UNKNOWN)
        return NULL;
    const char *words = commands[path->row].name;
    size_t length = path->length;
    while (length > 0) {
        const struct command *found = find_exact(words, length);
        if (found != NULL)
            return found;
        while (length > 0 && words[length - 1] != ' ')
            length--;
        length -= length > 0 ? 1 : 0;
    }
    return NULL;
}

bool command_is_modifier(struct bytes word)
{
    static const char *const modifiers[] = { "or",      "replace",  "temp",      "temporary", "global",
                                             "local",   "unlogged", "unique",    "recursive", "procedural",
                                             "trusted", "default",  "constraint" };
    for (size_t i = 0; i < COUNT_OF(modifiers); i++) {
        if (bytes_equal_text(word, modifiers[i]))
            return true;
    }
    return false;
}

const struct command *command_select_into(void)
{
    return &select_into;
}

bool command_is_query(const struct command *command)
{
    return command->shape == SHAPE_SELECT || command->shape == SHAPE_WITH;
}

bool command_is_harmless(const struct command *command)
{
    bool is_schema_change = statement_class_is_guarded(command->class) || command->class == CLASS_OPAQUE;
    bool is_simple = command->shape == SHAPE_PLAIN || command->shape == SHAPE_COPY;
    return !is_schema_change && (is_simple || command_is_query(command));
}

bool command_is_routine(const struct command *command)
{
    return command->shape == SHAPE_CREATE &&
           (strcmp(command->name, "CREATE FUNCTION") == 0 || strcmp(command->name, "CREATE PROCEDURE") == 0);
}

bool command_may_be_secret(struct bytes word)
{
#define COMMAND(class, level, shape, privacy, name)                                                          \
    || (PRIVACY_##privacy == PRIVACY_SECRET && ((uint8_t)(name)[0] | 0x20) == word.data[0] &&                \
        has_word_at(name, 0, word))
    return word.size > 0 && (false
#include "sql/commands.def"
                            );
#undef COMMAND
}

bool command_is_told(const struct command *command)
{
    return command->shape == SHAPE_PLAIN || command->shape == SHAPE_SELECT;
}

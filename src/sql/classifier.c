/* SPDX-License-Identifier: PostgreSQL */
#include "sql/classifier.h"

#include "sql/harmless.h"
#include "sql/trail.h"

static const struct outcome nothing = { .class = CLASS_NONE, .level = LEVEL_NONE };

static void lane_begin(struct classifier_lane *lane, struct lexer_reading reading)
{
    *lane = (struct classifier_lane){ .worst = nothing, .open_start = UINT64_MAX };
    lexer_init(&lane->lexer, reading);
    outline_begin(&lane->outline);
}

static void make_unknown(struct outcome *worst)
{
    struct outcome unknown = outcome_of(CLASS_UNKNOWN, LEVEL_MODIFYING, worst->command);
    outcome_unite(worst, &unknown);
}

/* What may hide in the text without being a schema change; `classes` as keyword_other_classes has them. */
static void add_others(struct outcome *worst, uint16_t classes)
{
    if ((classes & 1u << CLASS_COPY_PROGRAM) != 0)
        classes |= 1u << CLASS_WRITE;
    for (size_t class = 0; class < CLASS_COUNT; class ++) {
        struct outcome other = outcome_of((enum statement_class) class, LEVEL_NONE, worst->command);
        if ((classes >> class & 1) != 0)
            outcome_unite(worst, &other);
    }
}

/* A name that is not readable, or one too many to be kept, is not to slip through. */
static void note_name(struct classifier_lane *lane, struct name_list *names)
{
    const struct outline *outline = &lane->outline;
    lane->has_unreadable_name |= outline->is_name_unreadable || !name_list_add(names, outline->name);
}

static const char quoted_language[] = "'plpgsql'";

/* What stands behind a DO's LANGUAGE, piece by piece: other bytes than the string's and white space make it
 * another one. */
static void note_language(struct classifier_lane *lane, struct bytes text)
{
    enum { SIZE = sizeof(quoted_language) - 1 };
    for (size_t i = 0; i < text.size; i++) {
        uint8_t size = lane->language_size;
        bool is_between = size == 0 || size == SIZE;
        if (size < SIZE && text.data[i] == (uint8_t)quoted_language[size])
            lane->language_size++;
        else if (!is_between || !harmless_is_blank(bytes_of(text.data + i, 1)))
            lane->language_size = UINT8_MAX;
    }
}

static void note_do(struct classifier_lane *lane, struct bytes text)
{
    keyword_scan_feed(&lane->body, text);
    if (outline_awaits_language(&lane->outline))
        note_language(lane, text);
}

/* Where a statement begins is known in PL/pgSQL only. */
static void judge_do(struct classifier_lane *lane, struct outcome *outcome)
{
    const struct keyword_scan *body = &lane->body;
    keyword_scan_end(&lane->body);
    bool is_plpgsql = !lane->outline.is_do_quoted || lane->language_size == sizeof(quoted_language) - 1;
    bool is_foreign = lane->outline.is_do_foreign || !is_plpgsql;
    bool has_into = body->wraps_into || (is_foreign && body->selects_into);
    bool is_unknown = lane->outline.is_do_unreadable || has_into;
    enum statement_class class = is_foreign ? body->anywhere : body->at_start;
    if (class != CLASS_NONE || is_unknown)
        outcome_add(outcome, is_unknown ? CLASS_UNKNOWN : class, LEVEL_MODIFYING);
}

/* The command would ask for a window, but for the names it is about. */
static bool is_temporary(const struct outcome *outcome)
{
    return outcome->command != NULL && statement_class_is_guarded(outcome->command->class) &&
           !statement_class_is_guarded(outcome->class);
}

static void end_statement(struct classifier_lane *lane)
{
    struct outline *outline = &lane->outline;
    if (outline->has_tokens) {
        struct outcome outcome = outline_end(outline);
        if (outline->is_do)
            judge_do(lane, &outcome);
        if (lane->statement_count == 0 && outcome.command != NULL) {
            lane->is_first_harmless = command_is_harmless(outcome.command);
            lane->is_first_query = command_is_query(outcome.command);
            lane->is_first_told = command_is_told(outcome.command);
        }
        lane->statement_count++;
        lane->has_unknown |= outline->is_unknown && !(outline->is_return && lane->has_routine);
        lane->has_routine |= outcome.command != NULL && command_is_routine(outcome.command);
        lane->has_temporary |= is_temporary(&outcome);
        if (outline->has_execute)
            note_name(lane, &lane->executes);
        if (outline->has_prepare)
            note_name(lane, &lane->prepares);
        outcome_unite(&lane->worst, &outcome);
    }
    outline_begin(outline);
}

static void note_unterminated(struct classifier_lane *lane, const struct token *token)
{
    lane->is_unterminated = true;
    lane->is_lost |= token->is_word_cut;
    keyword_scan_end(&lane->open);
    lane->has_keyword |= lane->open_start == token->start && lane->open.anywhere != CLASS_NONE;
    if (lane->open_start == token->start)
        lane->others |= lane->open.others;
}

static void take_token(struct classifier_lane *lane, const struct token *token)
{
    if (token->kind == TOKEN_COMMENT)
        return;
    if (token->kind == TOKEN_SEMICOLON) {
        end_statement(lane);
        return;
    }
    if (token->kind == TOKEN_WORD && keyword_may_be(token->word, token->word_size))
        lane->has_keyword |= keyword_class(bytes_of(token->word, token->word_size)) != CLASS_NONE;
    if (token->kind == TOKEN_WORD && lane->outline.is_unknown)
        lane->others |= keyword_other_classes(bytes_of(token->word, token->word_size));
    if (token->kind == TOKEN_UNTERMINATED)
        note_unterminated(lane, token);
    bool was_do = lane->outline.is_do;
    outline_take(&lane->outline, token);
    if (lane->outline.is_do && !was_do) {
        keyword_scan_begin(&lane->body);
        lane->language_size = 0;
    }
}

/* Most tokens say nothing: comments, those of a settled statement that neither end it nor are a word that may
 * begin a schema change, and what stands between the words of a query. */
static inline bool take_silent(struct classifier_lane *lane, const struct token *token)
{
    if (outline_is_settled(&lane->outline)) {
        bool may_say = token->kind == TOKEN_SEMICOLON ||
                       (token->kind == TOKEN_WORD && keyword_may_be(token->word, token->word_size));
        return !may_say;
    }
    return outline_take_filler(&lane->outline, token);
}

/* Should the token that is open at the end of a piece never end, its words count: they are looked at piece by
 * piece. */
static void scan_open(struct classifier_lane *lane, struct bytes text)
{
    uint64_t start;
    if (!lexer_is_open(&lane->lexer, &start))
        return;
    if (start != lane->open_start)
        keyword_scan_begin(&lane->open);
    lane->open_start = start;
    uint64_t size = lane->lexer.offset - start;
    size_t skipped = size < text.size ? text.size - (size_t)size : 0;
    bytes_take(&text, skipped);
    keyword_scan_feed(&lane->open, text);
}

static void lane_feed(struct classifier_lane *lane, struct bytes text)
{
    struct bytes rest = text;
    struct token token;
    enum lexer_result result;
    do {
        struct bytes taken = rest;
        result = lexer_next(&lane->lexer, &rest, &token);
        taken.size -= rest.size;
        if (lane->outline.is_do)
            note_do(lane, taken);
        if (result == LEXER_TOKEN && !take_silent(lane, &token))
            take_token(lane, &token);
    } while (result == LEXER_TOKEN);
    scan_open(lane, text);
}

static void lane_end(struct classifier_lane *lane)
{
    struct token token;
    while (lexer_finish(&lane->lexer, &token))
        take_token(lane, &token);
    end_statement(lane);
}

void classifier_begin(struct classifier *classifier, struct lexer_reading reading)
{
    classifier->reading = reading;
    classifier->lane_count = 1;
    classifier->has_backslash = classifier->has_semicolon = classifier->has_inner_semicolon = false;
    classifier->last = 0;
    classifier->doubts = 0;
    keyword_scan_begin(&classifier->raw);
    lane_begin(&classifier->lanes[0], reading);
    if (!reading.has_unsafe_encoding)
        return;
    reading.has_unsafe_encoding = false;
    lane_begin(&classifier->lanes[classifier->lane_count++], reading);
}

static void note_semicolons(struct classifier *classifier, struct bytes text)
{
    if (classifier->has_inner_semicolon)
        return;
    if (!classifier->has_semicolon) {
        size_t at = bytes_find(text, ';');
        if (at == text.size)
            return;
        classifier->has_semicolon = true;
        bytes_take(&text, at + 1);
    }
    classifier->has_inner_semicolon = !harmless_is_blank(text);
}

/* In an unsafe encoding a character's second byte may look like a backslash or an operator, or may not: the
 * lanes cover the two readings in which all such bytes are alike. */
static void note_doubts(struct classifier *classifier, struct bytes text)
{
    keyword_scan_feed(&classifier->raw, text);
    for (size_t i = 0; i < text.size; i++) {
        classifier->doubts += trail_doubts(classifier->reading, classifier->last, text.data[i]);
        classifier->last = text.data[i];
    }
}

static void feed_lanes(struct classifier *classifier, struct bytes text)
{
    for (size_t i = 0; i < classifier->lane_count; i++)
        lane_feed(&classifier->lanes[i], text);
}

static void fork_lanes(struct classifier *classifier)
{
    size_t count = classifier->lane_count;
    for (size_t i = 0; i < count; i++) {
        classifier->lanes[count + i] = classifier->lanes[i];
        lexer_reread(&classifier->lanes[count + i].lexer, !classifier->reading.has_standard_strings);
    }
    classifier->lane_count = (uint8_t)(count * 2);
    classifier->has_backslash = true;
}

void classifier_feed(struct classifier *classifier, struct bytes text)
{
    note_semicolons(classifier, text);
    if (classifier->reading.has_unsafe_encoding)
        note_doubts(classifier, text);
    if (!classifier->has_backslash) {
        size_t at = bytes_find(text, '\\');
        feed_lanes(classifier, bytes_take(&text, at));
        if (text.size == 0)
            return;
        fork_lanes(classifier);
    }
    feed_lanes(classifier, text);
}

/* A text that does not end as SQL is refused by the server as a whole, so another reading than the one
 * believed in need not be feared then; unless the lanes themselves are only approximations. */
static bool may_be_ignored(const struct classifier *classifier, const struct classifier_lane *lane)
{
    bool is_exact = !classifier->reading.has_unsafe_encoding && !lane->is_lost;
    return lane != &classifier->lanes[0] && lane->is_unterminated && is_exact;
}

/* Nothing stands behind a harmless first command, as the absence of semicolons proves. */
static bool is_proven(const struct classifier *classifier, const struct classifier_lane *lane)
{
    return lane->is_first_harmless && !classifier->has_inner_semicolon;
}

/* Words that were found where tokens cannot be told apart may be of statements; a query may be one that makes
 * a table, or that holds a change. */
static void judge_words(const struct classifier *classifier, const struct classifier_lane *lane,
                        const struct keyword_scan *words, struct outcome *worst)
{
    bool may_be_query = lane->is_first_query || !is_proven(classifier, lane);
    bool may_select_into = words->has_into && words->has_select && may_be_query;
    if (may_select_into || (words->anywhere != CLASS_NONE && !is_proven(classifier, lane)))
        make_unknown(worst);
    if (!is_proven(classifier, lane))
        add_others(worst, words->others);
    else if (!lane->is_first_told) /* COPY's FROM is not in doubt */
        add_others(worst, words->others & 1u << CLASS_WRITE);
}

/* What could not be read to its end, or begins with an unknown word, and holds a word that begins a schema
 * change, is taken for one. */
static void judge_lane(const struct classifier *classifier, struct classifier_lane *lane)
{
    bool is_doubtful = lane->has_unknown || (lane->is_unterminated && !is_proven(classifier, lane));
    if ((is_doubtful && lane->has_keyword) || lane->has_unreadable_name)
        make_unknown(&lane->worst);
    if (is_doubtful)
        add_others(&lane->worst, lane->others);
    if (!lane->is_lost)
        return;
    lane->open.has_select = true; /* it may stand before */
    judge_words(classifier, lane, &lane->open, &lane->worst);
}

/* Two and more bytes in doubt can be read in more ways than there are lanes. */
static void judge_doubts(struct classifier *classifier, struct outcome *worst)
{
    keyword_scan_end(&classifier->raw);
    if (classifier->doubts >= 2)
        judge_words(classifier, &classifier->lanes[0], &classifier->raw, worst);
}

static void merge_lane(const struct classifier_lane *lane, struct outcome *worst, struct verdict *out)
{
    outcome_unite(worst, &lane->worst);
    out->has_temporary |= lane->has_temporary;
    bool has_executes = name_list_add_all(&out->executes, &lane->executes);
    bool has_prepares = name_list_add_all(&out->prepares, &lane->prepares);
    if (!has_executes || !has_prepares)
        make_unknown(worst);
}

static void verdict_set(struct verdict *out, const struct outcome *worst)
{
    out->class = worst->class;
    out->level = worst->level;
    out->is_guarded = statement_class_is_guarded(worst->class);
    out->command = worst->command != NULL ? worst->command->name : "";
    memcpy(out->levels, worst->levels, sizeof(out->levels));
    out->classes = 0;
    for (size_t class = 0; class < CLASS_COUNT; class ++)
        out->classes |= (uint16_t)((worst->levels[class] != 0) << class);
    if (out->classes != 0)
        return;
    out->classes = 1u << CLASS_NONE;
    out->levels[CLASS_NONE] = LEVEL_NONE;
}

/* A text of one statement of one class. */
static void verdict_set_plain(struct verdict *out, const struct command *command)
{
    out->class = command->class;
    out->level = command->level;
    out->is_guarded = false;
    out->command = command->name;
    memset(out->levels, 0, sizeof(out->levels));
    out->levels[command->class] = (uint8_t)command->level;
    out->classes = (uint16_t)(1u << command->class);
    out->statement_count = 1;
}

static void verdict_begin(struct verdict *out)
{
    name_list_init(&out->executes);
    name_list_init(&out->prepares);
    out->statement_count = 0;
    out->has_temporary = false;
}

void classifier_end(struct classifier *classifier, struct verdict *out)
{
    struct outcome worst = nothing;
    verdict_begin(out);
    for (size_t i = 0; i < classifier->lane_count; i++) {
        struct classifier_lane *lane = &classifier->lanes[i];
        lane_end(lane);
        judge_lane(classifier, lane);
        if (!may_be_ignored(classifier, lane))
            merge_lane(lane, &worst, out);
    }
    if (classifier->reading.has_unsafe_encoding)
        judge_doubts(classifier, &worst);
    out->statement_count = classifier->lanes[0].statement_count;
    verdict_set(out, &worst);
}

void classify(struct bytes text, struct lexer_reading reading, struct verdict *out)
{
    const struct command *harmless = harmless_find(text);
    if (harmless != NULL) {
        verdict_begin(out);
        verdict_set_plain(out, harmless);
        return;
    }
    struct classifier classifier;
    classifier_begin(&classifier, reading);
    classifier_feed(&classifier, text);
    classifier_end(&classifier, out);
}

/* SPDX-License-Identifier: PostgreSQL */
#include "control/portion.h"

#include "base/text.h"
#include "wire/message.h"
#include "wire/writer.h"

static const char select_word[] = "SELECT ";

void portion_init(struct portion *portion)
{
    *portion = (struct portion){ .is_begun = false };
}

void portion_release(struct portion *portion)
{
    buffer_release(&portion->rest);
}

/* The first of messages of our own, whole; empty where there is none. */
static struct bytes message_take(struct bytes *messages)
{
    const uint8_t *at = messages->data;
    if (messages->size < MESSAGE_HEADER_SIZE)
        return BYTES_NONE;
    uint32_t length = (uint32_t)at[1] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 8 | at[4];
    return bytes_take(messages, 1 + (size_t)length);
}

/* Takes at most that many rows off the front; 0: all. */
static struct bytes rows_take(struct bytes *messages, uint32_t most, uint32_t *count)
{
    struct bytes rows = bytes_of(messages->data, 0);
    for (*count = 0; messages->size > 0 && messages->data[0] == SERVER_DATA_ROW; ++*count) {
        if (most > 0 && *count == most)
            break;
        rows.size += message_take(messages).size;
    }
    return rows;
}

static void suspend(struct buffer *out)
{
    struct writer writer = writer_of(out);
    writer_begin(&writer, SERVER_PORTAL_SUSPENDED);
    writer_end(&writer);
}

bool portion_begin(struct portion *portion, uint32_t most, size_t room, struct buffer *out, size_t at)
{
    struct bytes rest = bytes_of(out->data + at, out->size - at);
    uint32_t count;
    (void)rows_take(&rest, most, &count);
    bool is_suspended = most > 0 && count == most;
    buffer_init(&portion->rest, is_suspended ? room : SIZE_MAX / 2);
    buffer_append(&portion->rest, rest);
    portion->is_begun = !portion->rest.has_failed;
    if (!portion->is_begun) {
        portion_release(portion);
        portion_init(portion);
        return false;
    }
    if (is_suspended) {
        out->size -= rest.size;
        suspend(out);
    }
    return true;
}

/* What ends the answer; the number in its tag is of the last rows. */
static void end(struct bytes messages, uint32_t count, struct buffer *out)
{
    char storage[32];
    struct text tag;
    struct writer writer = writer_of(out);
    for (struct bytes message; (message = message_take(&messages)).size > 0;) {
        bool counts =
            message.data[0] == SERVER_COMMAND_COMPLETE &&
            bytes_start_with(bytes_of(message.data + MESSAGE_HEADER_SIZE, message.size - MESSAGE_HEADER_SIZE),
                             select_word);
        if (!counts) {
            buffer_append(out, message);
            continue;
        }
        text_init(&tag, storage, sizeof storage);
        text_append_format(&tag, "%s%u", select_word, count);
        writer_command_complete(&writer, storage);
    }
}

/* Lets go of the rows that were given. */
static void shrink(struct portion *portion, struct bytes rest)
{
    struct buffer kept;
    buffer_init(&kept, portion->rest.limit);
    buffer_append(&kept, rest);
    if (kept.has_failed) {
        buffer_release(&kept);
        return;
    }
    buffer_release(&portion->rest);
    portion->rest = kept;
    portion->given = 0;
}

bool portion_next(struct portion *portion, uint32_t most, struct buffer *out)
{
    struct bytes rest = buffer_bytes(&portion->rest);
    size_t before = out->size;
    uint32_t count;
    (void)bytes_take(&rest, portion->given);
    struct bytes rows = rows_take(&rest, most, &count);
    bool is_suspended = most > 0 && count == most;
    buffer_append(out, rows);
    if (is_suspended)
        suspend(out);
    else
        end(rest, count, out);
    if (out->has_failed) {
        out->has_failed = false;
        out->size = before;
        return false;
    }
    portion->given += rows.size;
    if (!is_suspended)
        shrink(portion, rest);
    return true;
}

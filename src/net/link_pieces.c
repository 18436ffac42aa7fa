/* SPDX-License-Identifier: PostgreSQL */
#include "net/link_state.h"

#include <stdlib.h>

/* So many are kept for the next turn. */
enum { PIECES_KEPT = 128 };

static struct link_piece *piece_create(size_t capacity)
{
    struct link_piece *piece = malloc(sizeof *piece + capacity);
    if (piece != NULL)
        *piece = (struct link_piece){ .data = piece->own, .capacity = capacity };
    return piece;
}

struct link_piece *link_piece_take(struct link_pieces *pieces, size_t capacity)
{
    struct link_piece *piece = pieces->spare;
    if (capacity > LINK_PIECE_ROOM)
        return piece_create(capacity);
    if (piece == NULL)
        return piece_create(LINK_PIECE_ROOM);
    pieces->spare = piece->next;
    pieces->count--;
    *piece = (struct link_piece){ .data = piece->own, .capacity = LINK_PIECE_ROOM };
    return piece;
}

void link_piece_give(struct link_pieces *pieces, struct link_piece *piece)
{
    if (piece->capacity != LINK_PIECE_ROOM || pieces->count >= PIECES_KEPT) {
        free(piece);
        return;
    }
    piece->next = pieces->spare;
    pieces->spare = piece;
    pieces->count++;
}

void link_pieces_free(struct link_pieces *pieces)
{
    while (pieces->spare != NULL) {
        struct link_piece *piece = pieces->spare;
        pieces->spare = piece->next;
        free(piece);
    }
    pieces->count = 0;
}

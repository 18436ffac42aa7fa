/* SPDX-License-Identifier: PostgreSQL */
#include "observe/incident_book.h"

#include <stdlib.h>

struct page {
    struct list list;
    struct incident_note note;
};

static struct page *page_of(struct list *list)
{
    return CONTAINER_OF(list, struct page, list);
}

static void page_free(struct page *page)
{
    list_remove(&page->list);
    free(page);
}

void incident_book_init(struct incident_book *book, size_t ended_most)
{
    *book = (struct incident_book){ .ended_most = ended_most };
    list_init(&book->open);
    list_init(&book->ended);
}

void incident_book_release(struct incident_book *book)
{
    while (!list_is_empty(&book->open))
        page_free(page_of(book->open.next));
    while (!list_is_empty(&book->ended))
        page_free(page_of(book->ended.next));
}

static struct page *page_find(const struct incident_book *book, uint64_t number)
{
    LIST_EACH(list, &book->open)
    {
        if (page_of(list)->note.incident.number == number)
            return page_of(list);
    }
    return NULL;
}

static struct page *page_make(struct incident_book *book)
{
    struct page *page = malloc(sizeof *page);
    if (page == NULL)
        return NULL;
    list_init(&page->list);
    list_append(&book->open, &page->list);
    return page;
}

static void page_end(struct incident_book *book, struct page *page)
{
    list_remove(&page->list);
    list_append(&book->ended, &page->list);
    if (book->ended_count < book->ended_most)
        book->ended_count++;
    else
        page_free(page_of(book->ended.next));
}

void incident_book_put(struct incident_book *book, const struct incident_note *note)
{
    struct page *page = page_find(book, note->incident.number);
    if (page == NULL)
        page = page_make(book);
    if (page == NULL)
        return;
    page->note = *note;
    if (note->news == INCIDENT_ENDED)
        page_end(book, page);
}

void incident_book_update(struct incident_book *book, const struct incident *incident)
{
    struct page *page = page_find(book, incident->number);
    if (page != NULL)
        page->note.incident = *incident;
}

static const struct incident_note *note_from_end(const struct list *head, size_t *place)
{
    for (struct list *list = head->previous; list != head; list = list->previous)
        if ((*place)-- == 0)
            return &page_of(list)->note;
    return NULL;
}

const struct incident_note *incident_book_at(const struct incident_book *book, size_t place)
{
    const struct incident_note *note = note_from_end(&book->open, &place);
    return note != NULL ? note : note_from_end(&book->ended, &place);
}

const struct incident_note *incident_book_find(const struct incident_book *book, uint64_t number)
{
    const struct page *page = page_find(book, number);
    return page != NULL ? &page->note : NULL;
}

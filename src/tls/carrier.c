/* SPDX-License-Identifier: PostgreSQL */
#include "tls/carrier.h"

#include <assert.h>

static int on_read(BIO *bio, char *into, size_t capacity, size_t *size)
{
    const struct carrier *carrier = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *size = carrier->input != NULL && carrier->input->size < capacity ? carrier->input->size : capacity;
    if (carrier->input == NULL || *size == 0) {
        BIO_set_retry_read(bio);
        *size = 0;
        return 0;
    }
    memcpy(into, bytes_take(carrier->input, *size).data, *size);
    return 1;
}

static int on_write(BIO *bio, const char *from, size_t size, size_t *written)
{
    const struct carrier *carrier = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = 0;
    if (carrier->out == NULL)
        return 0;
    buffer_append(carrier->out, bytes_of(from, size));
    if (carrier->out->has_failed)
        return 0;
    *written = size;
    return 1;
}

static long on_control(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH; /* nothing is ever held back */
}

BIO_METHOD *carrier_method_create(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "carrier");
    if (method == NULL)
        return NULL;
    BIO_meth_set_read_ex(method, on_read);
    BIO_meth_set_write_ex(method, on_write);
    BIO_meth_set_ctrl(method, on_control);
    return method;
}

BIO *carrier_bio_create(const BIO_METHOD *method, struct carrier *carrier)
{
    assert(carrier != NULL);
    BIO *bio = BIO_new(method);
    if (bio == NULL)
        return NULL;
    BIO_set_data(bio, carrier);
    BIO_set_init(bio, 1);
    return bio;
}

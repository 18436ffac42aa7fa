/* SPDX-License-Identifier: PostgreSQL */
exports.up = async (knex) => {
    await knex('orders').update({ status: knex.raw('lower(status)') });
    await knex.schema.alterTable('orders', (table) => {
        table.check("status IN ('open', 'paid')", {}, 'orders_status_check');
    });
};
exports.down = () => {};

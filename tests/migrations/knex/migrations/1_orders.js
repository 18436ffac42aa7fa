/* SPDX-License-Identifier: PostgreSQL */
exports.up = (knex) => knex.schema.createTable('orders', (table) => {
    table.integer('id').primary();
    table.text('status').notNullable();
});
exports.down = () => {};

/* SPDX-License-Identifier: PostgreSQL */
module.exports = {
    up: (queries, { INTEGER, TEXT }) => queries.createTable('orders', {
        id: { type: INTEGER, primaryKey: true },
        status: { type: TEXT, allowNull: false },
    }),
};

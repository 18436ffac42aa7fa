/* SPDX-License-Identifier: PostgreSQL */
const { Table } = require('typeorm');

module.exports = class Orders1000000000001 {
    name = 'Orders1000000000001';
    up(runner) {
        return runner.createTable(new Table({
            name: 'orders',
            columns: [{ name: 'id', type: 'integer', isPrimary: true }, { name: 'status', type: 'text' }],
        }));
    }
};

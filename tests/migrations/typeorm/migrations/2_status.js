/* SPDX-License-Identifier: PostgreSQL */
const { TableCheck } = require('typeorm');

module.exports = class Status1000000000002 {
    name = 'Status1000000000002';
    async up(runner) {
        await runner.query('UPDATE orders SET status = lower(status)');
        await runner.createCheckConstraint('orders', new TableCheck({
            name: 'orders_status_check', columnNames: ['status'], expression: "status IN ('open', 'paid')",
        }));
    }
};

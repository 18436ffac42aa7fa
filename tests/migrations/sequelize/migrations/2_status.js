/* SPDX-License-Identifier: PostgreSQL */
module.exports = {
    up: async (queries) => {
        await queries.sequelize.query('UPDATE orders SET status = lower(status)');
        await queries.addConstraint('orders', {
            type: 'check', name: 'orders_status_check', fields: ['status'], where: { status: ['open', 'paid'] },
        });
    },
};

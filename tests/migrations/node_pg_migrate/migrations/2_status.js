/* SPDX-License-Identifier: PostgreSQL */
exports.up = (pgm) => {
    pgm.sql('UPDATE orders SET status = lower(status)');
    pgm.addConstraint('orders', 'orders_status_check', { check: "status IN ('open', 'paid')" });
};

/* SPDX-License-Identifier: PostgreSQL */
module.exports = { client: 'pg', connection: process.env.DATABASE_URL };

/* SPDX-License-Identifier: PostgreSQL */
module.exports = { dialect: 'postgresql', out: 'drizzle', dbCredentials: { url: process.env.DATABASE_URL } };

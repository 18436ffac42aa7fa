/* SPDX-License-Identifier: PostgreSQL */
module.exports = { development: { use_env_variable: 'DATABASE_URL' } };

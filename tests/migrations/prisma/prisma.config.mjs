/* SPDX-License-Identifier: PostgreSQL */
/* The engine in JavaScript: the other one is a program that is downloaded on installation. */
import { PrismaPg } from '@prisma/adapter-pg';
import { defineConfig } from 'prisma/config';

export default defineConfig({
    schema: 'schema.prisma',
    migrations: { path: 'migrations' },
    experimental: { adapter: true },
    engine: 'js',
    adapter: async () => new PrismaPg({ connectionString: process.env.DATABASE_URL, allowExitOnIdle: true }),
});

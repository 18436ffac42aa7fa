# SPDX-License-Identifier: PostgreSQL
"""The migration tools: how they are run, and what each does when a schema change is refused. run.py holds them to it, and
docs/migrations.md shows it as a table."""
import dataclasses
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "build" / "migrations"
NODE = INSTALLED / "node_modules"
LIQUIBASE = NODE / "node-liquibase" / "dist"
PYTHON = ("/usr/bin/python3", "-B")
TEXTS = ("message", "detail", "hint", "SQLSTATE")


@dataclasses.dataclass(frozen=True)
class Tool:
    """{port} and {archive} in a command are the sluice's port and a dump to restore."""
    title: str
    package: str  # Debian's; npm's where it begins with "npm:"
    version: str  # the part of the package's version that the page shows
    run: tuple  # applies all that is pending
    status: int = 1  # how it ends on a refusal
    shows: tuple = TEXTS[:3]  # what it shows of the refusal
    folder: str = ""  # its files, if not in the folder of its name
    first: tuple = ()  # applies the first step, where hiding the files of the second is not enough
    second: tuple = ()  # the files of the second step
    index: str = ""  # the JSON file that lists the steps as "entries"
    journal: str = ""  # asks for what the tool remembers
    own: tuple = ()  # the tables in which it remembers
    patterns: tuple = ()  # of the objects that a rule has to allow
    idle_refused: bool = False  # is refused also with nothing to do, as it creates its table "if not exists" each time
    keeps_earlier: bool = False  # what the step did before the refused statement stays
    remembers: tuple = ()  # what the tool remembers of the failed step
    repair: tuple = ()  # to be run before the step can be run again
    until_repaired: str = ""  # what the tool says without it
    again: tuple = ()  # applies the rest of the second step, where that is not the command itself
    advice: str = "run it again in a window"


def node(script, *words):
    return ("node", "--no-deprecation", str(NODE / script), *words)


def psql(*words):
    return ("psql", "-X", "-w", *words)


def pg_restore(*words):
    return ("pg_restore", "-w", "-d", "shop", *words, "{archive}")


def sqitch(*words):
    return ("sqitch", "deploy", "--target", "db:pg:", *words)


def liquibase(command):
    jars = ":".join(str(LIQUIBASE / jar) for jar in ("liquibase/liquibase.jar", "liquibase/lib/*",
                                                     "drivers/postgresql-42.2.8.jar"))
    return ("java", "-XX:TieredStopAtLevel=1", "-cp", jars, "liquibase.integration.commandline.Main",
            "--changeLogFile=changelog.xml", "--url=jdbc:postgresql://127.0.0.1:{port}/shop", "--username=migrator", command)


def of_psql(title, *words, **more):
    return Tool(title, "postgresql-client-15", "15", psql(*words, "-f", "2.sql"), first=psql(*words, "-f", "1.sql"),
                folder="psql", **more)


def of_pg_restore(title, *words, **more):
    return Tool(title, "postgresql-client-15", "15", pg_restore(*words, "--section=data", "--section=post-data"),
                first=pg_restore(*words, "--section=pre-data"), folder="psql", **more)


PSQL_REST = "see that the script can be run again as a whole, or run what is left of it, in a window"
RESTORE_REST = "in a window: `pg_restore --section=post-data`"
TOOLS = {
    "psql": of_psql("psql -f", status=0, keeps_earlier=True, advice=PSQL_REST),
    "psql_stop": of_psql("psql -v ON_ERROR_STOP=1 -f", "-v", "ON_ERROR_STOP=1", status=3, keeps_earlier=True,
                         advice=PSQL_REST),
    "psql_single": of_psql("psql -1 -f", "-1", status=0),
    "psql_single_stop": of_psql("psql -1 -v ON_ERROR_STOP=1 -f", "-1", "-v", "ON_ERROR_STOP=1", status=3),
    "pg_restore": of_pg_restore("pg_restore", keeps_earlier=True, advice=RESTORE_REST,
                                again=pg_restore("--section=post-data")),
    "pg_restore_exit": of_pg_restore("pg_restore -e", "-e", keeps_earlier=True, advice=RESTORE_REST,
                                     again=pg_restore("--section=post-data")),
    "pg_restore_single": of_pg_restore("pg_restore -1", "-1"),
    "alembic": Tool(
        "Alembic", "python3-alembic", "1.8", (*PYTHON, "/usr/bin/alembic", "upgrade", "head"),
        second=("versions/2_status.py",), own=("public.alembic_version",),
        journal="select version_num from alembic_version"),
    "django": Tool(
        "Django", "python3-django", "3.2", (*PYTHON, "manage.py", "migrate"),
        second=("shop/migrations/0002_status.py",), own=("public.django_migrations",),
        journal="select name from django_migrations"),
    "activerecord": Tool(
        "Rails (ActiveRecord)", "ruby-activerecord", "6.1", ("/usr/bin/ruby", "migrate.rb"),
        second=("db/2_check_status.rb",), own=("public.ar_internal_metadata", "public.schema_migrations"),
        journal="select version from schema_migrations"),
    "sqitch": Tool(
        "Sqitch", "sqitch", "1.3", sqitch(), status=2, first=sqitch("--to", "orders"), remembers=(("fail status",),),
        own=(*(f"sqitch.{name}" for name in "changes dependencies events projects releases tags".split()),),
        journal="select 'is ' || change from sqitch.changes union all select event || ' ' || change from sqitch.events"),
    "sql_migrate": Tool(
        "sql-migrate", "sql-migrate", "0.0~git20191213", ("sql-migrate", "up"), shows=("message",),
        idle_refused=True,
        second=("migrations/2_status.sql",), patterns=("gorp_migrations",), own=("public.gorp_migrations",),
        journal="select id from gorp_migrations"),
    "dbmate": Tool(
        "dbmate", "npm:@dbmate/linux-x64", "2.36",
        (str(NODE / "@dbmate/linux-x64/bin/dbmate"), "--migrations-dir", "migrations", "--no-dump-schema", "migrate"), status=2,
        shows=("message", "SQLSTATE"), idle_refused=True, second=("migrations/2_status.sql",),
        patterns=("schema_migrations",), own=("public.schema_migrations",),
        journal="select version from schema_migrations"),
    "liquibase": Tool(
        "Liquibase", "npm:node-liquibase", "4.3", liquibase("update"), status=255,
        second=("changes/2_status.sql",),
        own=("public.databasechangelog", "public.databasechangeloglock"),
        journal="select id || exectype from databasechangelog union all select locked::text from databasechangeloglock"),
    "knex": Tool(
        "Knex", "npm:knex", "3.3", node("knex/bin/cli.js", "migrate:latest"), shows=("message",),
        second=("migrations/2_status.js",),
        own=("public.knex_migrations", "public.knex_migrations_lock"),
        journal="select name from knex_migrations union all select is_locked::text from knex_migrations_lock"),
    "node_pg_migrate": Tool(
        "node-pg-migrate", "npm:node-pg-migrate", "9.0", node("node-pg-migrate/bin/node-pg-migrate.js", "up"), shows=TEXTS,
        second=("migrations/2_status.js",), own=("public.pgmigrations",),
        journal="select name from pgmigrations"),
    "sequelize": Tool(
        "Sequelize", "npm:sequelize-cli", "6.6", node("sequelize-cli/lib/sequelize", "db:migrate"),
        shows=("message", "detail"), keeps_earlier=True,
        second=("migrations/2_status.js",), own=("public.SequelizeMeta",),
        journal='select name from "SequelizeMeta"',
        advice="see that the step can be run again as a whole, then run it again in a window; give each migration a "
               "transaction of its own (`sequelize.transaction`)"),
    "typeorm": Tool(
        "TypeORM", "npm:typeorm", "1.1", node("typeorm/cli.js", "migration:run", "-d", "source.js"), shows=TEXTS,
        second=("migrations/2_status.js",), own=("public.migrations",),
        journal="select name from migrations"),
    "drizzle": Tool(
        "Drizzle Kit", "npm:drizzle-kit", "0.31", node("drizzle-kit/bin.cjs", "migrate"), shows=(), idle_refused=True,
        second=("drizzle/2_status.sql",), index="drizzle/meta/_journal.json",
        patterns=("drizzle.*",), own=("drizzle.__drizzle_migrations",),
        journal="select created_at from drizzle.__drizzle_migrations"),
    "prisma": Tool(
        "Prisma Migrate", "npm:prisma", "6.19", node("prisma/build/index.js", "migrate", "deploy"),
        keeps_earlier=True, second=("migrations/2_status",),
        own=("public._prisma_migrations",),
        journal="select migration_name || case when finished_at is null then ' unfinished' else '' end "
                "from _prisma_migrations",
        remembers=(("2_status unfinished",),),
        repair=node("prisma/build/index.js", "migrate", "resolve", "--rolled-back", "2_status"), until_repaired="P3009",
        advice="`prisma migrate resolve --rolled-back NAME`, see that the step can be run again as a whole, then "
               "run it again in a window; before that, all deployments end in P3009"),
}


def listed(words):
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else "nothing of it"


def left(tool):
    state = "statements before the refused one stay" if tool.keeps_earlier else "as before"
    if tool.repair:
        return f"{state}; the step counts as failed"
    return f"{state}; the failure is in the log of the tool" if tool.remembers else state


def idle(tool):
    if not tool.journal:
        return "-"
    return "refused" if tool.idle_refused else "passes"


def rows():
    """Those of the table in docs/migrations.md."""
    return [(tool.title if " -" not in tool.title else f"`{tool.title}`", tool.version,
             f"status {tool.status}, shows {listed(tool.shows)}", left(tool), idle(tool), tool.advice)
            for tool in TOOLS.values()]


HEAD = ("tool", "tried", "on a refusal", "state left", "with nothing to do", "what to do next")

-- SPDX-License-Identifier: PostgreSQL
-- The last line behind the sluice: refuses schema changes inside the database itself, so also those that no wire guard
-- can see (in functions, in DO blocks, from connections that bypass the sluice), unless the session runs as a role that
-- may change the schema now.
--
-- Run as a superuser in the database it is to guard:  psql -d shop -f docs/ddl_event_trigger.sql
-- Open and close it with the maintenance window:       GRANT ddl_window TO deployer;  REVOKE ddl_window FROM deployer;
-- (itself no DDL that event triggers see: roles belong to the whole cluster)
-- Remove it:                                           DROP EVENT TRIGGER ddl_window_guard; DROP SCHEMA ddl_window CASCADE;
--
-- What event triggers do not see: databases, roles, tablespaces, ALTER SYSTEM, event triggers themselves, TRUNCATE (a
-- privilege of its own: REVOKE TRUNCATE). Superusers pass always; temporary tables are refused too, since the trigger
-- fires before their place is known.

\set ON_ERROR_STOP on
BEGIN;

SELECT 'CREATE ROLE ddl_window NOLOGIN' WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ddl_window') \gexec

CREATE SCHEMA ddl_window;

CREATE FUNCTION ddl_window.refuse() RETURNS event_trigger
    LANGUAGE plpgsql
    SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    -- session_user: a SECURITY DEFINER function must not lend its owner's right
    IF pg_catalog.pg_has_role(session_user, 'ddl_window', 'MEMBER') THEN
        RETURN;
    END IF;
    RAISE EXCEPTION '% is refused: no maintenance window is open for %', tg_tag, session_user
        USING ERRCODE = 'insufficient_privilege',
              HINT = 'Schema changes pass while the role is a member of ddl_window.';
END
$$;

CREATE EVENT TRIGGER ddl_window_guard ON ddl_command_start EXECUTE FUNCTION ddl_window.refuse();

COMMIT;

-- The database roles of balance-sync, for a database that nobody else uses. Run once by the server's administrator, in that database; it may be
-- run again. No password is set here: see passwords.sql. Printed by `balsync migrate roles --own-database`; for a database that
-- others use too, print it without that flag, and with --schema and --roles as they are there.

-- claimer
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'balsync_claimer') THEN CREATE ROLE "balsync_claimer"; END IF; END $$;
ALTER ROLE "balsync_claimer" LOGIN NOINHERIT CONNECTION LIMIT 24;
ALTER ROLE "balsync_claimer" SET statement_timeout = '15000ms';
ALTER ROLE "balsync_claimer" SET lock_timeout = '2000ms';
ALTER ROLE "balsync_claimer" SET idle_in_transaction_session_timeout = '10000ms';
ALTER ROLE "balsync_claimer" SET search_path = "public", pg_temp;

-- writer
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'balsync_writer') THEN CREATE ROLE "balsync_writer"; END IF; END $$;
ALTER ROLE "balsync_writer" LOGIN NOINHERIT CONNECTION LIMIT 51;
ALTER ROLE "balsync_writer" SET statement_timeout = '15000ms';
ALTER ROLE "balsync_writer" SET lock_timeout = '2000ms';
ALTER ROLE "balsync_writer" SET idle_in_transaction_session_timeout = '10000ms';
ALTER ROLE "balsync_writer" SET search_path = "public", pg_temp;

-- reader
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'balsync_reader') THEN CREATE ROLE "balsync_reader"; END IF; END $$;
ALTER ROLE "balsync_reader" LOGIN NOINHERIT CONNECTION LIMIT 8;
ALTER ROLE "balsync_reader" SET statement_timeout = '60000ms';
ALTER ROLE "balsync_reader" SET lock_timeout = '2000ms';
ALTER ROLE "balsync_reader" SET idle_in_transaction_session_timeout = '10000ms';
ALTER ROLE "balsync_reader" SET search_path = "public", pg_temp;

-- migrator
DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'balsync_migrator') THEN CREATE ROLE "balsync_migrator"; END IF; END $$;
ALTER ROLE "balsync_migrator" LOGIN INHERIT CONNECTION LIMIT 4;
ALTER ROLE "balsync_migrator" SET idle_in_transaction_session_timeout = '60000ms';
ALTER ROLE "balsync_migrator" SET search_path = "public", pg_temp;

-- who may come in
DO $$ BEGIN EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database()); END $$;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN EXECUTE format('GRANT CONNECT ON DATABASE %I TO "balsync_claimer", "balsync_writer", "balsync_reader", "balsync_migrator"', current_database()); END $$;
GRANT USAGE ON SCHEMA "public" TO "balsync_claimer", "balsync_writer", "balsync_reader", "balsync_migrator";
GRANT CREATE ON SCHEMA "public" TO "balsync_migrator";

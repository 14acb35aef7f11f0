-- The roles' passwords, read by psql inside the container from the files that compose mounts: they are in no argument and no environment.
-- The server keeps only their scram-sha-256 verifiers.
SET log_statement = 'none';
\set claimer `cat /run/secrets/postgres_claimer`
\set writer `cat /run/secrets/postgres_writer`
\set reader `cat /run/secrets/postgres_reader`
\set migrator `cat /run/secrets/postgres_migrator`
ALTER ROLE balsync_claimer PASSWORD :'claimer';
ALTER ROLE balsync_writer PASSWORD :'writer';
ALTER ROLE balsync_reader PASSWORD :'reader';
ALTER ROLE balsync_migrator PASSWORD :'migrator';

#!/usr/bin/env bash
# Makes secrets/: a password for each user of the database and the broker, and the files that compose gives to the containers. What is
# there already is kept. Node URLs and keys are yours to write, into secrets/bsc_rpc_url, secrets/tron_grpc_url and secrets/tron_key.
#
# A secret of compose is a bind mount: inside it has the owner and mode of the file here. As root this gives each file to the user that
# its container runs as, readable by nobody else. Otherwise files are readable by all within a directory that only you may enter.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
cd secrets

password() { # in hex, so that it is the same in a URL, in SQL and in the broker's configuration
  [ -s "$1" ] || od -An -tx1 -N24 /dev/urandom | tr -d ' \n' > "$1"
  cat "$1"
}
for role in admin claimer writer reader migrator; do
  word=$(password "postgres_$role")
  rm -f "${role}_database_url"
  printf 'postgres://balsync_%s:%s@postgres:5432/balsync?sslmode=disable' "$role" "$word" > "${role}_database_url"
done
rm admin_database_url # the administrator comes in by docker exec
rm -f nats_passwords.conf
for user in provisioner claimer fetcher-evm fetcher-tron writer operator; do
  word=$(password "nats_$user")
  rm -f "${user}_nats_url"
  printf 'nats://%s:%s@nats:4222' "$user" "$word" > "${user}_nats_url"
  printf 'BALSYNC_NATS_%s: "%s"\n' "$(printf %s "$user" | tr a-z- A-Z_)" "$word" >> nats_passwords.conf
done
for mine in bsc_rpc_url tron_grpc_url tron_key; do
  [ -e "$mine" ] || : > "$mine"
done

if [ "$(id -u)" = 0 ]; then
  chmod 0400 ./*
  chown 65532:65532 ./*_url tron_key
  chown 999:999 postgres_* # of the image postgres
  chown 0:0 nats_*
else
  chmod 0444 ./*
  chmod u+w bsc_rpc_url tron_grpc_url tron_key
  echo "not root: the files are protected by their directory alone" >&2
fi

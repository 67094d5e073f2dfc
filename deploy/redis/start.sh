#!/bin/sh
# Redis takes no passwords from the environment: this writes their hashes into its list of users. Who needs no
# backups or monitors leaves out their passwords, and those users stay off.
set -eu
: "${REDIS_PASSWORD:?expected a password}" "${REDIS_WORKER_PASSWORD:?expected a password}"
folder=${REDIS_RUN:-/run/redis} config=${REDIS_CONFIG:-/etc/redis}

rule() {
    [ -n "$2" ] || { echo "s/ on #$1_HASH / off /"; return; }
    echo "s/#$1_HASH/#$(printf %s "$2" | sha256sum | cut -d ' ' -f 1)/"
}

umask 077
sed -e "$(rule APP "$REDIS_PASSWORD")" -e "$(rule WORKER "$REDIS_WORKER_PASSWORD")" \
    -e "$(rule BACKUP "${REDIS_BACKUP_PASSWORD:-}")" -e "$(rule MONITOR "${REDIS_MONITOR_PASSWORD:-}")" \
    "$config/users.acl" > "$folder/users.acl"
unset REDIS_PASSWORD REDIS_WORKER_PASSWORD REDIS_BACKUP_PASSWORD REDIS_MONITOR_PASSWORD
exec redis-server "$config/redis.conf" --dir "${REDIS_DATA:-/data}" --aclfile "$folder/users.acl" "$@"

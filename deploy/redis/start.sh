#!/bin/sh
# Redis takes no passwords from the environment: this writes the hash of REDIS_PASSWORD into its list of users.
set -eu
: "${REDIS_PASSWORD:?expected a password}"
folder=${REDIS_RUN:-/run/redis} config=${REDIS_CONFIG:-/etc/redis}
hash=$(printf %s "$REDIS_PASSWORD" | sha256sum | cut -d ' ' -f 1)
umask 077
sed "s/#PASSWORD_HASH/#$hash/" "$config/users.acl" > "$folder/users.acl"
unset REDIS_PASSWORD
exec redis-server "$config/redis.conf" --dir "${REDIS_DATA:-/data}" --aclfile "$folder/users.acl" "$@"

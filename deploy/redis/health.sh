#!/bin/sh
# As AFN: with its user and password, and with a write, which a full or read-only disk refuses.
set -eu
export REDISCLI_AUTH="$REDIS_PASSWORD"
[ "$(redis-cli -p "${1:-6379}" --user app --no-auth-warning SET afn:health 1 EX 60)" = OK ]

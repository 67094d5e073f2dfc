#!/bin/bash
# Reads a table through the same door as AFN. The server's own /health says 200 even when no database opens.
# Usage: health.sh NAMESPACE [PORT]. The image has bash and neither curl nor wget.
set -euo pipefail

read_from() {
    local body='{"requests":[{"type":"execute","stmt":{"sql":"SELECT count(*) FROM sqlite_master"}},{"type":"close"}]}'
    exec 3<>"/dev/tcp/127.0.0.1/$2"
    printf 'POST /v3/pipeline HTTP/1.1\r\nHost: %s.local\r\nAuthorization: Bearer %s\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "$(cat "${HEALTH_TOKEN_FILE:-/public/health-token}")" "${#body}" "$body" >&3
    cat <&3
}

answer=$(read_from "$1" "${2:-8080}")
# Before the first start of AFN its database is not there yet; the server's own, which is empty, always is.
[[ $answer != *"doesn't exist"* ]] || answer=$(read_from default "${2:-8080}")
[[ $answer == *'"type":"ok","response":{"type":"execute"'* ]] || { echo "${answer:0:500}"; exit 1; }

"""What each user of Redis may do: what AFN sends in its name, measured, and nothing else.

`app` is AFN where it answers requests: it writes the cache and puts tasks into the queue, but takes none out.
`worker` is Celery's worker and scheduler. `backup` copies the whole server, as a replica does. `monitor` sees
figures and the names of keys, and no value. Nobody is `default`; that user keeps its rights, because Redis
replays its append-only file in its name, but no password opens it.

Rights beyond AFN's own keys stand in selectors (the parts in brackets), so that no command meant for one kind
of key works on another. `CONFIG GET` is nobody's: Redis cannot allow it for some names only, and `INFO` says
what matters.
"""

from collections.abc import Mapping
from typing import Final

USERS: Final = ("app", "worker", "backup", "monitor")

# By category, because CLIENT SETINFO, which clients send at once, is unknown to a Redis before 7.2, and a
# single unknown word keeps the server from starting.
_CONNECT: Final = (
    "+@connection -@dangerous -client|tracking -client|trackinginfo -client|caching -client|getredir "
    "-client|reply"
)
_LOOK: Final = "+info +time +acl|whoami"
_CACHE: Final = (
    "+get +mget +set +del +unlink +exists +expire +pexpire +persist +ttl +pttl +incr +incrby +decrby "
    "+eval +evalsha +script|load +script|exists"
)
_TOGETHER: Final = "+multi +exec +discard +watch +unwatch"
# The last events, which clients read on in after a break (`ops.realtime`).
_EVENTS: Final = "+xadd +xrange +xrevrange"
_CHANNELS: Final = "+publish +subscribe +unsubscribe +psubscribe +punsubscribe"
# Of Celery: its queue by priority, who listens to which, what is being done, answers to questions.
_QUEUES, _BINDINGS, _TAKEN, _ANSWERS = "~celery*", "~_kombu.binding*", "~unacked*", "~*.reply.celery.pidbox*"
_BIND: Final = "+sadd +srem +smembers +zadd +zrangebyscore +zrem +exists +del +eval +evalsha"
_WORK: Final = "+lpush +rpush +rpop +brpop +llen +pexpire +hset +hget +hdel +zrange +get +set +watch " + _BIND

_RULES: Final = {
    "default": "off resetpass ~* &* +@all",
    "app": f"resetkeys ~afn:* resetchannels &afn:* -@all {_CONNECT} {_LOOK} {_TOGETHER} {_CHANNELS} "
    f"{_EVENTS} {_CACHE} ({_QUEUES} +lpush +llen) ({_BINDINGS} {_BIND}) ({_ANSWERS} +brpop +llen +del) "
    "(&/*.celery.pidbox +publish)",
    # All channels: for a subscription to a pattern Redis compares texts, and Celery's names the database.
    "worker": f"resetkeys ~afn:* resetchannels &* -@all {_CONNECT} {_LOOK} {_TOGETHER} {_CHANNELS} "
    f"{_EVENTS} {_CACHE} ({_QUEUES} {_BINDINGS} {_TAKEN} {_ANSWERS} {_WORK})",
    "backup": f"resetkeys resetchannels -@all {_CONNECT} {_LOOK} +psync +sync +replconf +bgsave +lastsave",
    "monitor": f"resetkeys %R~* resetchannels -@all {_CONNECT} {_LOOK} +slowlog|get +slowlog|len "
    "+latency|latest +latency|history +latency|histogram +latency|doctor +client|list +memory|stats "
    "+memory|usage +memory|doctor +scan +type +ttl +pttl +dbsize +object|encoding +object|idletime "
    "+object|freq +module|list +lastsave",
}


def render_users(hashes: Mapping[str, str]) -> str:
    """The lines of `users.acl`; `hashes` are those of the users' passwords, SHA-256 in hexadecimal."""
    lines = [f"user default {_RULES['default']}"]
    lines += [f"user {name} on #{hashes[name]} {_RULES[name]}" for name in USERS]
    return "\n".join(lines) + "\n"

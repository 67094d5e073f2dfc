"""Each user of Redis against a real server: what it needs works, all else is refused."""

import pytest
from redis.exceptions import NoPermissionError, ResponseError

from ops.redis.rights import USERS

from .conftest import Secured

pytestmark = pytest.mark.redis

DANGEROUS = [
    *(
        "FLUSHALL",
        "FLUSHDB",
        "KEYS *",
        "CONFIG GET maxmemory",
        "CONFIG SET dir /",
        "SHUTDOWN NOSAVE",
        "FAILOVER",
    ),
    *("ACL LIST", "ACL GETUSER app", "ACL SETUSER app on", "MONITOR", "CLIENT KILL ID 1", "CLIENT PAUSE 1"),
    *(
        "REPLICAOF NO ONE",
        "FUNCTION FLUSH",
        "SCRIPT FLUSH",
        "FUNCTION LIST",
        "MIGRATE h 1 k 0 1",
        "CLIENT TRACKING ON",
    ),
    *(
        "RESTORE k 0 x",
        "SWAPDB 0 1",
        "SORT k",
        "SLOWLOG RESET",
        "LATENCY RESET",
        "ACL LOG",
        "SAVE",
        "BGREWRITEAOF",
    ),
]
ALLOWED = {
    "app": [
        *("SET afn:a 1 EX 60", "GET afn:a", "MGET afn:a afn:b", "INCR afn:a", "EXPIRE afn:a 9", "DEL afn:a"),
        *(
            "INFO",
            "TIME",
            "PING",
            "ACL WHOAMI",
            "CLIENT ID",
            "PUBLISH afn:news x",
            "PUBLISH /0.celery.pidbox x",
        ),
        *("LPUSH celery x", "LPUSH celery-jobs x", "LLEN celery", "SADD _kombu.binding.celery x"),
        *("XADD afn:events MAXLEN ~ 9 * k v", "XRANGE afn:events - +", "XREVRANGE afn:events + - COUNT 1"),
        *("BRPOP 1.reply.celery.pidbox 0.01", "EVAL return(redis.call('GET',KEYS[1])) 1 afn:a"),
    ],
    "worker": [
        *(
            "SET afn:a 1 EX 60",
            "LPUSH celery x",
            "BRPOP celery 1",
            "RPUSH celery x",
            "RPOP celery",
            "LLEN celery",
        ),
        *(
            "HSET unacked a 1",
            "HGET unacked a",
            "HDEL unacked a",
            "ZADD unacked_index 1 a",
            "ZREM unacked_index a",
        ),
        *(
            "SET unacked_mutex 1 NX PX 10",
            "PUBLISH /0.celeryev/worker.heartbeat x",
            "SMEMBERS _kombu.binding.celery",
        ),
        *("LPUSH 1.reply.celery.pidbox x", "INFO", "ZRANGE unacked_index 9 0 BYSCORE REV"),
    ],
    "backup": ["PING", "INFO", "BGSAVE", "LASTSAVE", "REPLCONF capa eof", "TIME", "ACL WHOAMI"],
    "monitor": [
        *(
            "INFO",
            "SLOWLOG GET 1",
            "SLOWLOG LEN",
            "LATENCY LATEST",
            "CLIENT LIST",
            "CLIENT ID",
            "MEMORY STATS",
        ),
        *("MEMORY USAGE afn:a", "SCAN 0", "TYPE afn:a", "TTL afn:a", "DBSIZE", "OBJECT ENCODING afn:kept"),
    ],
}
REFUSED = {
    "app": [
        *(
            "RPOP celery",
            "BRPOP celery 0",
            "LRANGE celery 0 -1",
            "GET celery",
            "DEL celery",
            "GET other",
            "SET other 1",
        ),
        *("HGET unacked a", "SCAN 0", "RANDOMKEY", "DBSIZE", "LPUSH afn:a x", "SUBSCRIBE /0.celery.pidbox"),
        *("PUBLISH other x", "SLOWLOG GET", "CLIENT LIST", "BGSAVE", "PSYNC ? -1", "SET unacked_mutex 1"),
    ],
    "worker": [
        "GET other",
        "SET other 1",
        "LRANGE celery 0 -1",
        "SCAN 0",
        "SLOWLOG GET",
        "CLIENT LIST",
        "BGSAVE",
    ],
    "backup": ["GET afn:a", "SET afn:a 1", "DEL afn:a", "SCAN 0", "PUBLISH afn:news x", "LPUSH celery x"],
    "monitor": [
        *(
            "GET afn:a",
            "MGET afn:a",
            "SET afn:a 1",
            "DEL afn:a",
            "LRANGE celery 0 -1",
            "HGETALL unacked",
            "DUMP afn:a",
        ),
        *("PUBLISH afn:news x", "SUBSCRIBE afn:news", "PSYNC ? -1", "EVAL return(1) 0", "OBJECT HELP"),
    ],
}
EACH_REFUSED = [(user, text) for user in USERS for text in [*REFUSED[user], *DANGEROUS]]


@pytest.mark.parametrize(("user", "text"), [(user, text) for user in USERS for text in ALLOWED[user]])
def test_a_user_may_do_its_work(secured: Secured, user: str, text: str) -> None:
    with secured.client("observer") as observer:
        observer.set("afn:kept", "1")
    with secured.client(user) as client:
        client.execute_command(*text.split())


@pytest.mark.parametrize(("user", "text"), EACH_REFUSED, ids=[" ".join(one) for one in EACH_REFUSED])
def test_a_user_may_do_nothing_else(secured: Secured, user: str, text: str) -> None:
    with secured.client("observer") as observer:
        observer.acl_log_reset()
        with secured.client(user) as client, pytest.raises(NoPermissionError):
            client.execute_command(*text.split())
        assert [entry["username"] for entry in observer.acl_log()] == [user]


def test_no_script_goes_beyond_the_rights_of_who_runs_it(secured: Secured) -> None:
    for user in ("app", "worker"):
        with secured.client(user) as client:
            for call in ("'FLUSHALL'", "'GET', 'other'", "'SWAPDB', '0', '1'"):
                with pytest.raises(ResponseError, match="The user executing the script can't"):
                    client.eval(f"return redis.call({call})", 0)
    with (
        secured.client("app") as client,
        pytest.raises(ResponseError, match="The user executing the script can't"),
    ):
        client.eval("return redis.call('RPOP', 'celery')", 0)


def test_a_copy_of_the_server_is_sent_to_the_user_of_backups(secured: Secured) -> None:
    """What `redis-cli --rdb` and a replica ask: the answer is a snapshot, which begins so."""
    with secured.client("observer") as observer:
        observer.set("afn:kept", "1")
        observer.config_set("repl-diskless-sync-delay", 0)  # it would wait for other replicas
    with secured.client("backup") as client:
        connection = client.connection_pool.get_connection()
        connection.send_command("REPLCONF", "capa", "eof")
        connection.read_response()
        connection.send_command("SYNC")
        received = b""
        while b"REDIS0" not in received:
            received += connection._sock.recv(4096)
        connection.disconnect()

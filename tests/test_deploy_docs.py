"""docs/deployment.md and docs/from-phase-4.md against compose.yaml, the deploy folder and AFN's commands."""

import re
import shlex

import pytest
from django.core.management import get_commands

from afn_project.env import BASE_DIR

from .test_compose import SERVICES, command

DEPLOYMENT = (BASE_DIR / "docs" / "deployment.md").read_text(encoding="utf-8")
PHASE_4 = (BASE_DIR / "docs" / "from-phase-4.md").read_text(encoding="utf-8")

# What differs by nature: addresses, files and folders of the machine.
ELSEWHERE = {
    "--host",
    "--port",
    "--db-path",
    "--schedule",
    "--config",
    "--auth-jwt-key-file",
    "--primary-grpc-url",
}
ELSEWHERE |= {"--http-listen-addr", "--admin-listen-addr", "--grpc-listen-addr"}

# The commands, scripts and files of the document, each by words that only its row has.
ASKED_FOR = [
    *(
        "backend/.env.local",
        "docker --version",
        "docker-compose --version",
        "python --version",
        "uname -m",
        "arch",
    ),
    *(
        "softwareupdate --list",
        "pgrep oahd",
        "df -h",
        "sysctl hw.memsize",
        "sysctl -n hw.ncpu",
        "api.turso.tech",
    ),
    *(
        "/ai:data:vector --init",
        "/ai:data:vector --status",
        "/ai:data:vector --optimize-index",
        "/ai:data:migrate",
    ),
    *("/ai:data:analyze", "/ai:architecture:design", "/ai:operations:deploy", "/ai:operations:monitor"),
    *("/ai:prompt:create", "/ai:quality:security", "/ai:requirements:define", "/ai:requirements:domain"),
    *("/ai:troubleshoot", "/sc:build", "/sc:analyze", "/sc:test"),
    *("brew install tursodatabase/tap/turso", "get.tur.so", "brew uninstall turso", "turso --version"),
    *(
        "turso auth signup",
        "turso auth login",
        "turso account show",
        "turso db create",
        "--from-db",
        "-staging",
    ),
    *("turso db list", "turso db show NAME --url", "turso db show NAME --size", "turso db tokens create"),
    *("turso db shell NAME", "001_initial_schema.sql", "vec0", "vec_config", "vec_id", "evaluations"),
    *("--allowed-locations", "turso db audit", "turso db dump"),
    *(
        "brew install redis",
        "apt install redis-server",
        "brew services start redis",
        "systemctl enable redis-server",
    ),
    *(
        "redis-server --version",
        "redis-cli ping",
        "redis-benchmark",
        "io-threads 4",
        "io-threads-do-reads yes",
    ),
    *(
        "backend/config/redis.conf",
        "redis-cluster.conf",
        "r.set(…)",
        "CONFIG GET bind",
        "CONFIG SET maxmemory",
    ),
    *(
        "ps aux",
        "systemctl restart redis-server",
        "redis-cli INFO memory",
        "redis-cli BGSAVE",
        "redis-commander",
    ),
    *("numpy==1.26.4", "libsql-experimental", "torch", "sentence-transformers", "tiktoken", "pip show numpy"),
    *(
        "conda install",
        "arch -x86_64",
        "pgvector-python",
        "vector_setup.py",
        "create_engine",
        "database/base.py",
    ),
    *("alembic init", "alembic.ini", "env.py", "alembic revision", "alembic upgrade head", "alembic current"),
    *("alembic history", "alembic downgrade", "backend/migrations/versions", "docker-compose.database.yml"),
    *(
        "docker stats",
        "docker system df",
        "tail -f backend/logs",
        "libsql-server:latest",
        "jwt.key",
        "init_db.sh",
    ),
    *("seed_data.py", "test_database_integration.py", "/health/database", "daemon.json", "osascript"),
    *(
        "socketfilterfw",
        "PRAGMA journal_mode",
        "mmap_size",
        "ANALYZE",
        "sysctl -w",
        "powermetrics",
        "fs_usage",
    ),
    *("netstat", "vm_stat", "memory_pressure", "secure_env.py", "backup_db.sh", "aws s3 cp", "crontab -"),
    *("db_metrics.py", "start_http_server(9090)", "ws://localhost:8000/ws", "redis://localhost:6379"),
]


def plain_commands() -> list[list[str]]:
    """The commands of the part on plain processes and of that on replicas, as words."""
    part = DEPLOYMENT[DEPLOYMENT.index("## As plain processes") : DEPLOYMENT.index("## Connections")]
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", part, re.DOTALL)).replace("\\\n", " ")
    return [shlex.split(line, comments=True) for line in blocks.splitlines()]


@pytest.mark.parametrize(
    ("name", "mark"),
    [
        ("libsql", "--admin-listen-addr"),
        ("libsql-replica", "--primary-grpc-url"),
        ("web", "afn_project.wsgi:application"),
        ("mcp", "afn_project.asgi:application"),
        ("worker", "worker"),
        ("beat", "beat"),
        ("proxy", "caddy"),
        ("migrate", "deploy/prepare_database.py"),
        ("keys", "deploy/app_token.py"),
    ],
)
def test_a_plain_process_is_started_as_its_container_is(name: str, mark: str) -> None:
    [words] = [
        words
        for words in plain_commands()
        if "runuser" in words and any(word.partition("=")[0] == mark for word in words)
    ]
    assert options(command(name)) == options(words[words.index("--") + 1 :])


def options(words: list[str]) -> dict[str, str]:
    """Options with their values, except those that differ by nature."""
    found: dict[str, str] = {}
    for index, word in enumerate(words):
        if word.startswith("--"):
            option, equals, value = word.partition("=")
            following = words[index + 1] if index + 1 < len(words) else ""
            takes_next = not equals and following and not following.startswith("--") and ":" not in following
            found[option] = value or (following if takes_next else "")
    return {option: value for option, value in found.items() if option not in ELSEWHERE}


def test_the_unit_of_systemd_starts_what_the_container_starts() -> None:
    [line] = re.findall(r"^ExecStart=(.+)$", DEPLOYMENT, re.MULTILINE)
    assert options(shlex.split(line)) == options(command("web"))
    given = SERVICES["web"]
    assert f"MemoryMax={given['deploy']['resources']['limits']['memory']}" in DEPLOYMENT
    assert f"TasksMax={given['deploy']['resources']['limits']['pids']}" in DEPLOYMENT
    assert f"TimeoutStopSec={given['stop_grace_period'].removesuffix('s')}\n" in DEPLOYMENT


def test_every_health_check_is_given_as_a_command_too() -> None:
    words = {word for line in plain_commands() for word in line}
    for script in ("libsql/health.sh", "redis/health.sh", "web_health.py", "broker_health.py"):
        assert f"deploy/{script}" in words
        assert (BASE_DIR / "deploy" / script).is_file()
    assert {"inspect", "ping"} <= words


@pytest.mark.parametrize("document", [DEPLOYMENT, PHASE_4], ids=["deployment", "from-phase-4"])
def test_the_commands_named_there_exist(document: str) -> None:
    named = set(re.findall(r"manage\.py ([a-z_]+)", document))
    assert len(named) > 5
    assert named - set(get_commands()) == set()


@pytest.mark.parametrize("document", [DEPLOYMENT, PHASE_4], ids=["deployment", "from-phase-4"])
def test_the_services_and_files_named_there_exist(document: str) -> None:
    named = set(re.findall(r"docker compose (?:exec|run|restart|ps)(?: --?\w+)* ([a-z][a-z-]*)", document))
    assert named
    assert named - set(SERVICES) == set()
    files = set(re.findall(r"(?<![\w/])deploy/[\w./-]+\w", document))
    assert files
    assert [file for file in files if not (BASE_DIR / file).exists()] == []


@pytest.mark.parametrize("words", ASKED_FOR)
def test_every_command_of_the_document_has_its_row(words: str) -> None:
    """In the first cell: what replaces it stands in another."""
    firsts = [line.partition(" | ")[0] for line in PHASE_4.splitlines() if line.startswith("| ")]
    assert [first for first in firsts if words in first] != []

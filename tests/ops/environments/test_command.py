"""`manage.py environments` as it is typed, on files and on a server."""

import json
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from secrets import token_hex
from subprocess import CompletedProcess
from typing import Any

import jwt
import pytest

from tests.processes import manage
from tests.sqld import ADMIN_KEY, company_sqld

Run = Callable[..., CompletedProcess[str]]


@pytest.fixture(scope="module", params=["local", "sqld"])
def variables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A main environment named dev, with the samples."""
    folder = tmp_path_factory.mktemp(request.param)
    common = {
        "ENVIRONMENT": "development",
        "AFN_DATABASE_FILE": str(folder / "afn.db"),
        "AFN_ENVIRONMENTS_DIR": str(folder / "environments"),
        "AFN_TOKEN_KEYS": str(folder / "keys"),
        "AFN_PROTECTED_ENVIRONMENTS": "staging",
    }
    if request.param == "local":
        assert manage("init_db", **common).returncode == 0
        yield common
        return
    with company_sqld(folder / "company") as server:
        common |= {
            "TURSO_DATABASE_URL": server.create("dev"),
            "TURSO_AUTH_TOKEN": server.token(),
            "AFN_SQLD_ADMIN_URL": server.admin_url,
            "AFN_SQLD_ADMIN_KEY": ADMIN_KEY,
        }
        assert manage("init_db", **common).returncode == 0
        yield common


@pytest.fixture
def run(variables: dict[str, str]) -> Run:
    def run(*arguments: str, **more: str) -> CompletedProcess[str]:
        return manage("environments", *arguments, **variables | more)

    return run


def names(run: Run) -> list[str]:
    return [environment["name"] for environment in json.loads(run("list", "--json").stdout)]


def failure(done: CompletedProcess[str]) -> str:
    """The one line that says what is wrong."""
    assert done.returncode == 1
    assert done.stderr.startswith("CommandError: ")
    assert done.stderr.count("\n") == 1
    return done.stderr


def test_a_fork_is_made_worked_in_and_deleted(run: Run, variables: dict[str, str]) -> None:
    done = run("fork", "dev", "feature-x")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("feature-x is a copy of dev.\nWork in it with AFN_ENVIRONMENT=feature-x")
    fork = {"AFN_ENVIRONMENT": "feature-x"}
    made = manage("search", "resume", "--json", **variables | fork)
    assert (made.returncode, '"score"' in made.stdout) == (0, True)
    listed = run("list").stdout.splitlines()
    assert listed[0].startswith("dev  ")
    assert "current" in listed[0]
    assert "of dev" in listed[1]
    assert failure(run("delete", "feature-x", "--yes", **fork)).count("works on") == 1
    assert run("delete", "feature-x", "--yes", "--json").stdout == '{"deleted": "feature-x"}\n'
    assert names(run) == ["dev"]


def test_deleting_asks_for_the_name(run: Run) -> None:
    assert run("create", "doomed").stdout == "doomed is made.\n"
    refused = run("delete", "doomed", "--json")  # nobody can type here
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "\nCommandError: Nothing was deleted: confirm with --yes" in refused.stderr
    assert names(run) == ["dev", "doomed"]
    assert run("delete", "doomed", "--yes").stdout.endswith("doomed is deleted.\n")


def test_a_new_one_has_the_tables_unless_it_shall_be_empty(run: Run, variables: dict[str, str]) -> None:
    run("create", "full")
    run("create", "bare", "--empty")
    for name, status in (("full", 0), ("bare", 1)):
        assert manage("migrate", "--check", **variables | {"AFN_ENVIRONMENT": name}).returncode == status
        run("delete", name, "--yes")


def test_a_frozen_one_says_why(run: Run, variables: dict[str, str]) -> None:
    reason = "Moving; 引越し中 <b>"
    assert json.loads(run("freeze", "dev", reason, "--json").stdout)["frozen"] == reason
    assert f"FROZEN: {reason}" in run("list").stdout
    done = manage("create_api_key", "--name", "x", **variables)
    made = manage("createsuperuser", "--noinput", "--username", "ada", "--email", "a@x.org", **variables)
    assert done.returncode == made.returncode == 1
    assert reason in made.stderr
    assert run("unfreeze", "dev").stdout == "dev can be written again.\n"
    assert "FROZEN" not in run("list").stdout


@pytest.mark.parametrize("name", ["..%2f", "-x"])
def test_names_that_lead_elsewhere_are_refused(run: Run, name: str) -> None:
    before = names(run)
    for arguments in (["create", "--", name], ["fork", "dev", "--", name]):
        assert "lower-case letters, digits and hyphens" in failure(run(*arguments))
    assert names(run) == before


def test_what_is_there_is_not_overwritten(run: Run) -> None:
    assert "already" in failure(run("fork", "dev", "dev"))
    assert "already" in failure(run("create", "dev"))
    assert "There is no environment 'nowhere'" in failure(run("fork", "nowhere", "x"))
    assert "works on" in failure(run("delete", "dev", "--yes"))


def test_protected_ones_stay(run: Run) -> None:
    run("fork", "dev", "staging")
    assert "AFN_PROTECTED_ENVIRONMENTS" in failure(run("delete", "staging", "--yes"))
    done = run("delete", "staging", "--yes", AFN_PROTECTED_ENVIRONMENTS="prod")
    assert done.returncode == 0, done.stderr


def test_tokens_are_signed_with_a_key_of_ones_own(run: Run, variables: dict[str, str]) -> None:
    folder = Path(variables["AFN_TOKEN_KEYS"])
    if "TURSO_DATABASE_URL" not in variables:
        assert "files need no token" in failure(run("token", "dev"))
        return
    assert "keys generate" in failure(run("token", "dev"))
    assert f"--auth-jwt-key-file {folder / 'public.pem'}" in run("keys", "generate").stdout
    assert stat.S_IMODE((folder / "signing.pem").stat().st_mode) == 0o600
    done = run("token", "dev", "--read-only", "--hours", "1", "--json")
    claims = jwt.decode(json.loads(done.stdout)["token"], options={"verify_signature": False})
    assert (claims["a"], claims["id"]) == ("ro", "dev")
    assert "readfile()" in done.stderr
    assert "24 hours" in failure(run("token", "dev", "--hours", "25"))
    assert run("token", "dev", "--hours", "25", "--long").returncode == 0
    assert "--hours" in failure(run("token", "dev", "--hours", "nan"))
    assert "already" in failure(run("keys", "generate"))
    assert "Start the server anew" in run("keys", "rotate").stdout
    assert "1 older keys are retired" in run("keys", "retire").stdout


def test_every_action_explains_itself(run: Run) -> None:
    for action in ("list", "fork", "token"):
        done = run(action, "--help")
        assert done.returncode == 0
        assert "usage: manage.py environments" in done.stdout
    assert "environments fork prod feature-x" in run("--help").stdout


@pytest.mark.parametrize("variables", ["sqld"], indirect=True)
def test_an_unreachable_provider_is_named(run: Run) -> None:
    nobody = {"AFN_SQLD_ADMIN_URL": "http://127.0.0.1:9", "AFN_SQLD_ADMIN_KEY": "canary"}
    text = failure(run("fork", "dev", "x", **nobody))
    assert "AFN_SQLD_ADMIN_URL" in text
    assert "canary" not in text


@pytest.fixture
def fork(run: Run) -> Iterator[str]:
    """A copy of dev under a name that no other test has used."""
    name = f"fork-{token_hex(4)}"
    done = run("fork", "dev", name)
    assert done.returncode == 0, done.stderr
    yield name
    assert run("delete", name, "--yes").returncode == 0


@pytest.fixture
def write(variables: dict[str, str], tmp_path: Path) -> Callable[..., None]:
    """Save prompts in an environment, each with its content."""

    def write(environment: str, prompts: dict[str, str]) -> None:
        rows = [{"name": name, "title": name, "content": text} for name, text in prompts.items()]
        file = tmp_path / f"{token_hex(4)}.json"
        file.write_text(json.dumps(rows))
        arguments = ["import_prompts", str(file), "--user", "samples", "--json"]
        done = manage(*arguments, **variables | {"AFN_ENVIRONMENT": environment})
        assert done.returncode == 0, done.stderr

    return write


def merged(done: CompletedProcess[str]) -> dict[str, str]:
    """What came over, by name."""
    assert done.returncode == 0, done.stderr
    return {one["name"]: one["action"] for one in json.loads(done.stdout)["prompts"]}


def test_a_fork_is_edited_compared_and_merged(
    run: Run, write: Callable[..., None], fork: str, variables: dict[str, str]
) -> None:
    assert f"dev and {fork} have the same" in run("diff", "dev", fork, "--exit-code").stdout
    write(fork, {"walk/zebra": "Feed the zebra {{often}}.", "walk/second": "Another one, later."})

    shown = run("diff", "dev", fork, "--full", "--exit-code")
    assert shown.returncode == 2
    assert shown.stdout.startswith(f"--- dev\n+++ {fork}\n+ walk/second ")
    assert "2 prompts differ (0 only in dev, 2 only in" in shown.stdout
    assert f"+++ {fork}/walk/zebra v1\n@@ -0,0 +1,1 @@\n+Feed the zebra" in shown.stdout
    told = json.loads(run("diff", "dev", fork, "--json", "--full", "--prompt", "walk/zebra").stdout)
    assert [one["name"] for one in told["only_right"]] == ["walk/zebra"]
    assert "+Feed the zebra" in told["details"][0]["unified"]

    dry = run("merge", fork, "dev", "--dry-run")
    assert "2 prompts would come" in dry.stdout
    assert "Nothing was written (--dry-run)." in dry.stdout
    # Both are still missing: the dry run wrote nothing.
    assert merged(run("merge", fork, "dev", "--prompt", "walk/zebra", "--json")) == {"walk/zebra": "created"}
    found = manage("search", "zebra", "--mode", "keyword", "--json", **variables)
    assert [one["name"] for one in json.loads(found.stdout)["results"]] == ["walk/zebra"]

    assert "created         walk/second  1 version\n1 prompt came from" in run("merge", fork, "dev").stdout
    assert "0 prompts came from" in run("merge", fork, "dev").stdout
    assert run("diff", "dev", fork, "--exit-code").returncode == 0


def test_a_conflict_is_shown_and_writes_nothing_until_a_side_wins(
    run: Run, write: Callable[..., None], fork: str, variables: dict[str, str]
) -> None:
    before = {"walk/both": "Greet them.\nIn the middle.\nSay goodbye."}
    write("dev", before)
    write(fork, before)
    write("dev", {"walk/both": "Greet them warmly.\nIn the middle.\nSay goodbye."})
    # The bystander could come over, but all come or none.
    theirs = "Greet them coldly.\nIn the middle.\nSay goodbye, at once."
    write(fork, {"walk/both": theirs, "walk/bystander": "Nobody quarrels about this."})

    refused = run("merge", fork, "dev")
    assert refused.returncode == 2
    assert refused.stdout.startswith("walk/both, content:\n<<<<<<< ours, line 1\nGreet them warmly.\n")
    assert "=======\nGreet them coldly.\n>>>>>>> theirs, line 1\n" in refused.stdout
    assert "Nothing was written: 1 conflict." in refused.stderr
    assert "have dev win them with --ours" in refused.stderr
    told = run("merge", fork, "dev", "--dry-run", "--json")
    assert (told.returncode, told.stderr) == (2, "")
    assert [one["field"] for one in json.loads(told.stdout)["conflicts"]] == ["content"]
    listed = json.loads(run("diff", "dev", fork, "--json").stdout)
    assert [one["name"] for one in listed["only_right"]] == ["walk/bystander"]

    run("freeze", "dev", "Not now")
    assert "Not now" in failure(run("merge", fork, "dev", "--ours"))
    run("unfreeze", "dev")

    both = {"walk/both": "merged", "walk/bystander": "created"}
    arguments = ["--ours", "--author", "samples", "--message", "as agreed", "--json"]
    assert merged(run("merge", fork, "dev", *arguments)) == both
    # The fork gets what dev has now, and the side that wins there is the other one.
    assert merged(run("merge", "dev", fork, "--theirs", "--json")) == {"walk/both": "fast_forwarded"}
    found = manage("search", "greet warmly at once", "--json", "-k", "1", **variables)
    expected = "Greet them warmly.\nIn the middle.\nSay goodbye, at once."
    assert json.loads(found.stdout)["results"][0]["content"] == expected


def test_a_database_that_lacks_a_migration_is_left_alone(
    run: Run, write: Callable[..., None], fork: str, variables: dict[str, str]
) -> None:
    write("dev", {"walk/pending": "For a database that is behind."})
    behind = variables | {"AFN_ENVIRONMENT": fork}
    assert manage("migrate", "prompts", "0002", **behind).returncode == 0
    for arguments in (["merge", "dev", fork], ["diff", "dev", fork]):
        text = failure(run(*arguments))
        assert f"{fork} lacks the migrations prompts.0003" in text
        assert "manage.py migrate" in text
    assert manage("migrate", **behind).returncode == 0
    assert merged(run("merge", "dev", fork, "--dry-run", "--json")) == {"walk/pending": "created"}


@pytest.mark.parametrize("variables", ["local"], indirect=True)
def test_what_is_named_wrongly_is_said(run: Run, fork: str) -> None:
    for arguments, expected in (
        (["diff", "dev", "nowhere"], "There is no environment 'nowhere'"),
        (["merge", "nowhere", "dev"], "There is no environment 'nowhere'"),
        (["merge", "dev", fork, "--prompt", "walk/none"], f"in dev or {fork}, got 'walk/none'"),
        (
            ["merge", "dev", fork, "--author", "nobody"],
            f"--author, in {fork}: expected the name or e-mail of a user",
        ),
        (["merge", "dev", "dev"], "the same database: name two"),
    ):
        assert expected in failure(run(*arguments))
    both = run("merge", "dev", fork, "--ours", "--theirs")
    assert both.returncode == 2
    assert "not allowed with argument" in both.stderr


def test_what_is_done_here_is_in_the_audit_log(run: Run, variables: dict[str, str]) -> None:
    assert run("fork", "dev", "audited").returncode == 0
    assert run("freeze", "audited", "moving house").returncode == 0
    assert run("unfreeze", "audited").returncode == 0
    assert run("merge", "audited", "dev").returncode == 0
    assert run("delete", "audited", "--yes").returncode == 0
    # The log is in this one: frozen, it takes no line.
    assert run("freeze", "dev", "a backup").returncode == 0
    assert run("freeze", "unknown", "a backup").returncode == 1
    assert run("unfreeze", "dev").returncode == 0
    lines = manage("audit_log", "--json", **variables).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    told = [(one["action"], one["object_name"]) for one in found if one["action"].startswith("environment.")]
    done = ["forked", "frozen", "unfrozen", "merged", "deleted"]
    expected = [(f"environment.{one}", "dev" if one == "merged" else "audited") for one in done]
    expected += [("environment.frozen", "dev"), ("environment.unfrozen", "dev")]
    assert told[: len(expected)] == expected[::-1]  # the newest first
    frozen = next(one for one in found if one["changes"].get("reason") == "moving house")
    assert (frozen["source"], frozen["actor_name"][-8:]) == ("command", " (shell)")

"""A folder's git log as histories, and repositories that were made to do harm."""

import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from prompts.exchange import git, git_log
from prompts.exchange.git import Repository
from prompts.exchange.git_log import import_git, read_log
from prompts.exchange.problems import ImportFileError, Refusal
from prompts.models import Prompt, User

pytestmark = pytest.mark.django_db
ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_COMMITTER_NAME": "committer",
    "GIT_COMMITTER_EMAIL": "committer@example.com",
}


class Repo:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.day = 0
        root.mkdir()
        self("init", "-q", "-b", "main")

    def __call__(self, *arguments: str, **environment: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.root,
            env=ENVIRONMENT | environment,
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    def write(self, path: str | bytes, content: str | bytes) -> None:
        file = os.path.join(os.fsencode(self.root), os.fsencode(path))
        os.makedirs(os.path.dirname(file), exist_ok=True)
        with open(file, "wb") as opened:
            opened.write(content.encode() if isinstance(content, str) else content)

    def commit(self, message: str = "m", author: str = "Bob <bob@example.com>") -> str:
        self.day += 1
        self("add", "-A", ".")
        when = f"2026-01-{self.day:02}T12:00:00+0900"
        self(
            "commit",
            "-q",
            "--allow-empty",
            "--allow-empty-message",
            f"--author={author}",
            f"--date={when}",
            "-m",
            message,
            GIT_COMMITTER_DATE=when,
        )
        return self("rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo(tmp_path / "repo")


@pytest.fixture
def bring(repo: Repo, user: User) -> Callable[..., tuple[int, int, int, int]]:
    def bring(folder: str = "", **options: Any) -> tuple[int, int, int, int]:
        result = import_git(repo.root / folder, user, **options)
        return result.created, result.updated, result.unchanged, len(result.failed)

    return bring


def history(name: str) -> list[tuple[Any, ...]]:
    rows = Prompt.objects.get(name=name).versions.order_by("version")
    return [(one.version, one.content, one.message, one.author and one.author.username) for one in rows]


def test_commits_are_versions(repo: Repo, bring: Any) -> None:
    User.objects.create_user("bob", "BOB@example.com")
    repo.write("mail/reply.md", "---\ntitle: Reply\ntags: [mail]\n---\nDear {{name}}\n")
    repo.write("other.txt", "no prompt")
    repo.commit("First draft\n\nWith a body.")
    repo.write("other.txt", "not of it")
    repo.commit("elsewhere")
    repo.write("mail/reply.md", "---\ntitle: A reply\ntags: [mail]\n---\nDear {{name}}\n")
    repo.commit("only the title")
    repo.write("mail/reply.md", "---\ntitle: A reply\ntags: [mail]\n---\nHi {{name}}\r\n\n")
    repo.commit("短く", author="Eve <eve@example.com>")
    repo.write("mail/reply.md", "not committed")
    assert bring(dry_run=True) == (1, 0, 0, 0)
    assert bring(strict=True) == (1, 0, 0, 0)
    assert history("mail/reply") == [
        (1, "Dear {{name}}", "First draft\n\nWith a body.", "bob"),
        (2, "Hi {{name}}\r\n", "短く\n\n(By Eve <eve@example.com>.)", "aoi"),
    ]
    prompt = Prompt.objects.get()
    assert (prompt.title, prompt.tags, prompt.user.username, prompt.source) == (
        "A reply",
        ["mail"],
        "bob",
        "repo",
    )
    assert prompt.versions.get(version=1).created_at.isoformat() == "2026-01-01T03:00:00+00:00"
    assert bring() == (0, 0, 1, 0)
    repo.write("mail/reply.md", "Hi")
    repo.write("new.md", "New")
    repo.commit("more")
    assert bring() == (1, 1, 0, 0)
    assert [version for version, *_ in history("mail/reply")] == [1, 2, 3]
    assert bring() == (0, 0, 2, 0)


def test_renames_are_followed_where_nothing_else_changed(repo: Repo, bring: Any) -> None:
    repo.write("a.md", "one")
    repo.commit()
    repo.write("a.md", "two")
    repo.commit()
    (repo.root / "b").mkdir()
    repo("mv", "a.md", "b/c.md")
    repo.commit("moved")
    repo.write("b/c.md", "three")
    repo.commit()
    assert bring() == (1, 0, 0, 0)
    assert [content for _, content, *_ in history("b/c")] == ["one", "two", "three"]
    repo.write("b/c.md", "")
    (repo.root / "b/c.md").unlink()
    repo.commit("gone")
    assert bring() == (0, 0, 0, 0)


def test_of_merges_the_branch_itself_counts(repo: Repo, bring: Any) -> None:
    repo.write("a.md", "one")
    repo.commit()
    repo("checkout", "-q", "-b", "side")
    repo.write("a.md", "side 1")
    repo.commit()
    repo.write("a.md", "side 2")
    repo.commit()
    repo("checkout", "-q", "main")
    repo.write("b.md", "b")
    repo.commit()
    repo(
        "merge",
        "-q",
        "--no-ff",
        "-m",
        "merged",
        "side",
        GIT_AUTHOR_NAME="bob",
        GIT_AUTHOR_EMAIL="b@example.com",
    )
    assert bring() == (2, 0, 0, 0)
    assert [(content, message.partition("\n")[0]) for _, content, message, _ in history("a")] == [
        ("one", "m"),
        ("side 2", "merged"),
    ]


def test_a_folder_within_a_repository(repo: Repo, bring: Any) -> None:
    repo.write("deep/er/a.md", "a")
    repo.write("b.md", "b")
    repo.commit()
    assert bring("deep") == (1, 0, 0, 0)
    assert Prompt.objects.get().name == "er/a"


def test_strange_files_are_passed_over_or_told(repo: Repo, bring: Any, user: User) -> None:
    repo.write(b"bytes-\xff.md", "x1")
    repo.write("-rf.md", "x2")
    repo.write("--upload-pack=touch canary;.md", "x3")
    repo.write("line\nbreak.md", "x4")
    repo.write("utf16.md", "é".encode("utf-16"))
    repo.write("large.md", "x" * (git.MAX_OBJECT + 1))
    repo.write("blank.md", " \n")
    repo.write("README.md", "About")
    repo.write(".hidden/a.md", "x5")
    (repo.root / "link.md").symlink_to("/etc/passwd")
    (repo.root / "folder").symlink_to("/etc")
    repo("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},sub.md")
    repo.commit()
    result = import_git(repo.root, user)
    assert set(Prompt.objects.values_list("name", flat=True)) == {
        "-rf",
        "--upload-pack=touch canary;",
        "bytes-\ufffd",
    }
    assert [(one.field, one.got) for one in result.failed] == [
        ("content", "none in blank.md"),
        ("file", "one that is larger, or missing in large.md"),
        ("name", "'line\\nbreak' in line\nbreak.md"),
        ("file", "byte 0xff at position 0 in utf16.md"),
    ]
    assert result.notes[0] == "README.md is not imported: it has no front matter."


def test_a_version_that_was_none_is_left_out(repo: Repo, bring: Any, user: User) -> None:
    repo.write("a.md", "---\ntype: chat\n---\n<!-- message: user -->\nx\n")
    repo.commit()
    repo.write("a.md", b"\xff")
    bad = repo.commit()
    repo.write("a.md", "good")
    repo.commit()
    result = import_git(repo.root, user)
    assert (result.created, result.failed) == (1, [])
    assert [content for _, content, *_ in history("a")] == ["good"]
    assert any(bad[:12] in note for note in result.notes)


def test_history_that_was_rewritten_is_a_conflict(repo: Repo, bring: Any, user: User) -> None:
    repo.write("a.md", "one")
    repo.commit()
    assert bring() == (1, 0, 0, 0)
    repo.write("a.md", "another")
    repo("add", "-A", ".")
    repo("commit", "-q", "--amend", "-m", "x", GIT_AUTHOR_NAME="b", GIT_AUTHOR_EMAIL="b@example.com")
    result = import_git(repo.root, user)
    assert result.failed == [Refusal(1, "versions.1", "what version 1 of a holds here", "something else")]
    assert len(history("a")) == 1


def test_what_is_no_repository_is_an_error(tmp_path: Path, user: User) -> None:
    (tmp_path / "plain").mkdir()
    Repo(tmp_path / "empty")
    Repo(tmp_path / "real")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked/.git").symlink_to(tmp_path / "real/.git")
    for name in (
        "plain",
        "empty",
        "linked",
        "missing",
        "https://example.com/x.git",
        "ext::sh -c id",
        "--help",
    ):
        with pytest.raises(ImportFileError, match="expected"):
            import_git(tmp_path / name, user)


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    return tmp_path / "canary"


def hostile(repo: Repo, canary: Path) -> None:
    """Whatever a configuration can have git run."""
    script = repo.root.parent / "script"
    script.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    script.chmod(0o755)
    hooks = repo.root / ".git/hooks"
    for hook in (
        "post-checkout",
        "reference-transaction",
        "post-index-change",
        "fsmonitor-watchman",
        "pre-auto-gc",
    ):
        (hooks / hook).write_text(script.read_text())
        (hooks / hook).chmod(0o755)
    for name, value in {
        "core.fsmonitor": str(script),
        "core.hooksPath": str(hooks),
        "core.pager": str(script),
        "core.sshCommand": str(script),
        "core.askPass": str(script),
        "core.editor": str(script),
        "core.gitProxy": str(script),
        "core.alternateRefsCommand": str(script),
        "core.worktree": "/",
        "pager.rev-list": str(script),
        "pager.cat-file": str(script),
        "alias.rev-list": f"!{script}",
        "alias.cat-file": f"!{script}",
        "diff.external": str(script),
        "diff.x.textconv": str(script),
        "diff.x.command": str(script),
        "filter.x.smudge": str(script),
        "filter.x.clean": str(script),
        "filter.x.process": str(script),
        "log.showSignature": "true",
        "gpg.program": str(script),
        "gpg.ssh.program": str(script),
        "credential.helper": f"!{script}",
        "uploadpack.packObjectsHook": str(script),
        "protocol.allow": "always",
        "protocol.ext.allow": "always",
        "protocol.file.allow": "always",
        "extensions.partialClone": "evil",
        "remote.evil.url": f"ext::{script}",
        "remote.evil.promisor": "true",
        "remote.evil.uploadpack": str(script),
        "include.path": "/dev/null",
    }.items():
        repo("config", name, value)
    (repo.root / ".git/info/attributes").write_text("* diff=x filter=x\n")


def test_a_hostile_repository_runs_nothing(repo: Repo, canary: Path, user: User) -> None:
    repo.write("a.md", "one")
    repo.write(".gitattributes", "* diff=x filter=x textconv=x\n")
    first = repo.commit()
    repo.write("a.md", "two")
    repo.commit()
    hostile(repo, canary)
    assert import_git(repo.root, user).created == 1
    assert [content for _, content, *_ in history("a")] == ["one", "two"]
    assert not canary.exists()
    # What is missing would be fetched from where the repository says.
    blob = subprocess.run(
        ["git", "--git-dir", str(repo.root / ".git"), "rev-parse", f"{first}:a.md"],
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    ).stdout.strip()
    (repo.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    result = import_git(repo.root, user)
    assert not canary.exists()
    assert result.updated == 0


def test_the_canary_would_sing(repo: Repo, canary: Path) -> None:
    """The same repository does harm to whoever trusts it."""
    repo.write("a.md", "one")
    first = repo.commit()
    blob = repo("rev-parse", f"{first}:a.md")
    hostile(repo, canary)
    (repo.root / ".git/objects" / blob[:2] / blob[2:]).unlink()
    subprocess.run(
        ["git", "--git-dir", str(repo.root / ".git"), "cat-file", "-p", blob],
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        cwd="/",
    )
    assert canary.exists()


def test_replaced_objects_do_not_count(repo: Repo, bring: Any) -> None:
    repo.write("a.md", "one")
    first = repo.commit()
    repo.write("b.md", "replaced")
    second = repo.commit()
    repo("replace", repo("rev-parse", f"{first}:a.md"), repo("rev-parse", f"{second}:b.md"))
    bring()
    assert [content for _, content, *_ in history("a")] == ["one"]


def test_bounds(repo: Repo, user: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(3):
        repo.write(f"f/{number}.md", f"x{number}")
        repo.commit()
    bounds = ((git, "MAX_COMMITS"), (git_log, "MAX_FILES"), (git_log, "MAX_CHANGES"), (git, "MAX_TREES"))
    for module, name in bounds:
        with monkeypatch.context() as patch:
            patch.setattr(module, name, 2)
            with pytest.raises(ImportFileError, match="expected at most 2 "):
                import_git(repo.root, user)
    with monkeypatch.context() as patch:
        patch.setattr(git, "MAX_OBJECT", 100)
        with pytest.raises(ImportFileError, match="at most 100 bytes"):
            import_git(repo.root, user)
    assert not Prompt.objects.exists()


def test_git_that_hangs_is_ended(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.write("a.md", "one")
    repo.commit()
    (tmp_path / "bin").mkdir()
    slow = tmp_path / "bin/git"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", str(slow.parent))
    began = time.monotonic()
    with (
        Repository(repo.root, timeout=0.3) as repository,
        pytest.raises(ImportFileError, match=r"within 0\.3 sec"),
    ):
        repository.commits()
    with (
        Repository(repo.root, timeout=0.3) as repository,
        pytest.raises(ImportFileError, match=r"within 0\.3 sec"),
    ):
        repository.blob("1" * 40)
    assert time.monotonic() - began < 10


def test_git_that_is_not_there_is_told(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(ImportFileError, match="the program git, which is not installed"):
        list(read_log(repo.root, []))

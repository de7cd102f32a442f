"""Git is asked, and runs nothing that a repository names."""

from __future__ import annotations

import ast
import os
import platform
import shutil
import subprocess
from pathlib import Path

import pytest
from git_repository import Repository

import awaken
from awaken.contract import Span, UserError
from awaken.engine.diagnosing.diagnosis import machine, repository_of
from awaken.engine.machine import git
from awaken.engine.suppressing.changed_lines import changed_lines

MAY_START_PROCESSES = {
    "engine/machine/programs.py": "git and the formatter, found outside of the project and limited",
    "cli/editor.py": "the editor of VISUAL or EDITOR, which the user asks for with a key",
    "passes/child/isolation.py": "a process for each file, forked from that of foreign code",
    "preview/console/pager.py": "the pager of PAGER, on a terminal",
    "verifying/requests/child/awaken_requests.py": "in the process of the target, itself again",
}
ONLY_NAMES = {
    "engine/machine/apply_errors.py": "quotes a command line for Windows",
    "engine/machine/git.py": "the type of an answer, and the exception of a time limit",
    "engine/suppressing/changed_lines.py": "the type of an answer",
    "engine/formatting/formatter.py": "the exception of a time limit",
    "engine/machine/foreign_code.py": "the exception of a time limit",
    "verifying/copies.py": "the exception of a time limit",
    "verifying/suites.py": "the exception of a time limit",
    "batch/working/cloning.py": "the type of an answer, and the exception of a time limit",
    "batch/working/repository_work.py": "the exception of a time limit",
    "batch/hosts/api_program.py": "the type of an answer, and the exception of a time limit",
}


@pytest.fixture
def repository(tmp_path):
    made = Repository(tmp_path / "project")
    made.commit(a="a = 1\n")
    return made


@pytest.fixture
def program(tmp_path):
    """A program that leaves a mark when it is run."""
    path = tmp_path / "program"
    path.write_text(f"#!/bin/sh\necho $0 $@ >> {tmp_path / 'ran'}\ncat\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def ran(tmp_path):
    return tmp_path / "ran"


def ask(directory, *words, **options):
    with git.open_repository(directory) as found:
        return found.ask(directory, *words, **options)


def question_everything(directory, since="HEAD"):
    """Ask all that awaken ever asks."""
    found = repository_of(directory)
    lines = changed_lines(directory, since, {directory / "a.py": b"a = 3\n"})
    return found, lines


def touch(repository):
    """Make what the index knows of the file out of date."""
    os.utime(repository.path / "a.py", (0, 0))


HOSTILE = """\
[core]
    fsmonitor = {0}
    hooksPath = {1}
    pager = {0}
    editor = {0}
    sshCommand = {0}
    gitProxy = {0}
    askPass = {0}
    alternateRefsCommand = {0}
    worktree = /
    attributesFile = {2}
[filter "evil"]
    clean = {0}
    smudge = {0}
    process = {0}
    required = true
[filter "e=v.i l"]
    clean = {0}
    process = {0}
[diff]
    external = {0}
[diff "evil"]
    command = {0}
    textconv = {0}
[merge "evil"]
    driver = {0}
[gpg]
    program = {0}
[credential]
    helper = {0}
[pager]
    status = {0}
    diff = {0}
[alias]
    status = !{0}
    ls-files = !{0}
[uploadpack]
    packObjectsHook = {0}
[protocol "ext"]
    allow = always
[remote "origin"]
    url = ext::{0}
    promisor = true
    uploadpack = {0}
[extensions]
    worktreeConfig = true
    partialClone = origin
[include]
    path = {2}
[includeIf "gitdir:/**"]
    path = {2}
"""


@pytest.fixture
def hostile(repository, program, tmp_path):
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    for name in ("post-index-change", "fsmonitor-watchman", "pre-auto-gc", "reference-transaction"):
        (hooks / name).symlink_to(program)
    more = tmp_path / "more"
    more.write_text(f'[filter "included"]\n\tclean = {program}\n')
    repository.commit(a="a = 1\n")
    config = repository.path / ".git" / "config"
    config.write_text(config.read_text() + HOSTILE.format(program, hooks, more))
    (repository.path / ".git" / "config.worktree").write_text(
        f'[filter "worktree"]\n\tclean = {program}\n'
    )
    return repository


@pytest.mark.parametrize("driver", ["evil", "e=v.i", "included", "worktree"])
def test_nothing_runs_that_the_configuration_of_a_repository_names(hostile, ran, driver):
    attributes = hostile.path / ".git" / "info" / "attributes"
    attributes.parent.mkdir(exist_ok=True)
    attributes.write_text(f"*.py filter={driver} diff=evil merge=evil\n")
    (hostile.path / "a.py").write_text("a = 2\n")
    touch(hostile)

    found, lines = question_everything(hostile.path)

    assert not ran.exists(), ran.read_text()
    assert (found.top, found.changed) == (hostile.path, 1)
    assert lines.tracked == {"a.py"}
    assert [hunk.first for hunk in lines.hunks["a.py"]] == [1]


def test_the_hostile_configuration_does_run_in_git_itself(hostile, ran):
    """Else the tests beside this one could not fail."""
    (hostile.path / ".gitattributes").write_text("*.py filter=evil\n")
    touch(hostile)

    subprocess.run(
        ["git", "--work-tree=.", "status"], cwd=hostile.path, capture_output=True, check=False
    )

    assert ran.exists()


def test_a_missing_object_is_not_fetched(hostile, ran):
    blob = hostile("--work-tree=.", "-c", "core.fsmonitor=false", "rev-parse", "HEAD:a.py")
    ran.unlink(missing_ok=True)
    (hostile.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    (hostile.path / "a.py").write_text("a = 2\n")

    with pytest.raises(UserError, match="git cannot compare the files of"):
        changed_lines(hostile.path, "HEAD", {})
    assert not ran.exists()


def test_a_bare_repository_in_the_tree_is_a_directory_like_any_other(repository, program, ran):
    inner = repository.path / "inner"
    inner.mkdir()
    subprocess.run(["git", "init", "--quiet", "--bare"], cwd=inner, check=True)
    with (inner / "config").open("a") as config:
        config.write(f"[core]\n\tbare = false\n\tworktree = ..\n\tfsmonitor = {program}\n")
    (inner / "a.py").write_text("a = 1\n")
    repository.commit(b="b = 1\n")

    found, lines = question_everything(inner)

    assert found.top == repository.path
    assert lines.tracked >= {"a.py", "HEAD"}
    assert not ran.exists()


def test_a_submodule_is_not_asked(repository, program, ran, tmp_path):
    other = Repository(tmp_path / "other")
    other.commit(b="b = 1\n")
    local = ("-c", "protocol.file.allow=always")
    repository(*local, "submodule", "--quiet", "add", str(other.path), "sub")
    repository.commit()
    with (repository.path / ".git" / "modules" / "sub" / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {program}\n")
    (repository.path / "sub" / "b.py").write_text("b = 2\n")

    found, _ = question_everything(repository.path)

    assert (found.changed, found.untracked) == (0, 0)
    assert not ran.exists()
    assert repository_of(repository.path / "sub").changed == 1
    assert not ran.exists()


def test_a_filter_of_the_users_own_runs(repository, program, ran, tmp_path, monkeypatch):
    own = tmp_path / "gitconfig"
    own.write_text(f'[filter "mine"]\n\tclean = {program}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(own))
    repository.commit()
    repository.write(".git/info/attributes", "*.py filter=mine\n")
    touch(repository)

    assert repository_of(repository.path).changed == 0
    assert ran.exists()


def test_the_data_of_a_repositorys_configuration_counts(repository):
    (repository.path / "a.py").chmod(0o755)
    assert repository_of(repository.path).changed == 1
    repository("config", "core.fileMode", "false")
    assert repository_of(repository.path).changed == 0

    (repository.path / "a.py").write_bytes(b"a = 1\r\n")
    assert ask(repository.path, "diff").stdout
    repository("config", "core.autocrlf", "true")
    assert not ask(repository.path, "diff").stdout


@pytest.mark.parametrize("branch", ["work", 'w"o', "a.b", "é"])
def test_the_upstream_of_a_branch_is_known(repository, tmp_path, branch):
    clone = Repository(tmp_path / "clone")
    clone("remote", "add", "origin", str(repository.path))
    repository("branch", "later")
    clone("fetch", "--quiet", "origin")
    clone("switch", "--quiet", "--create", branch, "--track", "origin/later")
    clone.commit(a="a = 2\n")

    assert changed_lines(clone.path, "@{upstream}", {}).hunks.keys() == {"a.py"}


def linked(repository, directory):
    repository("worktree", "add", "--quiet", "-b", "work", str(directory))


def linked_to_a_linked(repository, directory):
    linked(repository, between := directory.with_name("between"))
    subprocess.run(["git", "worktree", "add", "-q", str(directory)], cwd=between, check=True)


def detached(repository, directory):
    repository("worktree", "add", "--quiet", "--detach", str(directory))


def of_a_bare_repository(repository, directory):
    bare = str(directory.with_name("bare"))
    repository("clone", "--quiet", "--bare", str(repository.path), bare)
    words = ["git", "worktree", "add", "-q", str(directory), "main"]
    subprocess.run(words, cwd=bare, check=True)


def with_a_relative_path(repository, directory):
    linked(repository, directory)
    place = f"../{repository.path.name}/.git/worktrees/{directory.name}"
    (directory / ".git").write_text(f"gitdir: {place}\n")


def submodule(repository, directory):
    Repository(directory.with_name("above"))(
        *("-c", "protocol.file.allow=always", "submodule", "add", "--quiet"),
        *(str(repository.path), "sub"),
    )
    directory.symlink_to(directory.with_name("above") / "sub")


def elsewhere(repository, directory):
    place = str(directory.with_name("elsewhere.git"))
    repository(
        "clone", "--quiet", "--separate-git-dir", place, str(repository.path), str(directory)
    )


@pytest.mark.parametrize(
    "made",
    [
        *(linked, linked_to_a_linked, detached, of_a_bare_repository, with_a_relative_path),
        *(submodule, elsewhere),
    ],
)
def test_a_working_tree_that_shares_its_repository_is_asked_for_itself(
    repository, tmp_path, program, ran, made
):
    repository.commit(b="b = 1\n")
    made(repository, directory := tmp_path / "other")
    directory = directory.resolve()
    with (repository.path / ".git" / "config").open("a") as config:
        config.write(f"[core]\n\tfsmonitor = {program}\n")

    # With one file that has changed, one that has not: the latter counts as changed where HEAD
    # cannot be found.
    assert repository_of(directory).changed == 0
    (directory / "a.py").write_text("a = 2\n")
    assert repository_of(directory).top == directory
    assert repository_of(directory).changed == 1
    assert changed_lines(directory, "HEAD", {}).hunks.keys() == {"a.py"}
    assert repository_of(repository.path).changed == 0
    assert not ran.exists()


@pytest.mark.parametrize(
    "text", [f"gitdir: {'a/' * 400_000}\n", f"gitdir: {'a' * 5000}\n", "gitdir: \0"]
)
def test_a_git_file_that_names_no_path_is_one_sentence(tmp_path, text):
    (tmp_path / ".git").write_text(text)
    (tmp_path / "a.py").write_text("a = 1\n")

    assert repository_of(tmp_path) is None
    with pytest.raises(UserError, match=r"^--since: git cannot compare .*\.git "):
        changed_lines(tmp_path, "HEAD", {})


@pytest.mark.parametrize(
    "attributes",
    [
        "*.py -diff",
        "*.py binary",
        "*.py diff=user",
        "*.py filter=user",
        "*.py working-tree-encoding=UTF-16LE",
        "*.py text working-tree-encoding=latin-1",
        "*.py -text",
        "*.py ident",
        "*.py export-ignore -diff merge=user",
    ],
)
@pytest.mark.parametrize("place", [".gitattributes", ".git/info/attributes"])
def test_no_attribute_of_the_repository_hides_a_changed_line(
    repository, tmp_path, monkeypatch, attributes, place
):
    """A filter and a driver are the user's own, as those of git lfs are on machines of CI."""
    own = tmp_path / "gitconfig"
    own.write_text(
        '[filter "user"]\n\tclean = echo pointer\n[diff "user"]\n\tbinary = true\n'
        "\ttextconv = echo\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(own))
    lines = [f"line{number} = {number}\n" for number in range(20)]
    repository.commit(a="".join(lines))
    (repository.path / place).write_text(f"{attributes}\n")
    lines[15] = "evil = 1\n"
    (repository.path / "a.py").write_text("".join(lines))

    found = changed_lines(repository.path, "HEAD", {})

    text = "".join(lines).encode()
    start = text.index(b"evil")
    assert found.touches("a.py", text, Span(start, start + 4))
    assert not found.touches("a.py", text, Span(0, 4))


def test_bits_of_the_index_hide_no_changed_line(repository):
    repository.commit(a="a = 1\n", b="b = 1\n")
    repository("update-index", "--assume-unchanged", "a.py")
    repository("update-index", "--skip-worktree", "b.py")
    for name in "ab":
        (repository.path / f"{name}.py").write_text("evil = 1\n")

    assert changed_lines(repository.path, "HEAD", {}).hunks.keys() == {"a.py", "b.py"}


def test_looking_leaves_everything_alone(repository):
    touch(repository)
    before = {path: path.read_bytes() for path in repository.path.rglob("*") if path.is_file()}

    question_everything(repository.path)

    after = {path: path.read_bytes() for path in repository.path.rglob("*") if path.is_file()}
    assert after == before


def test_the_repository_is_the_one_around_the_directory(repository, tmp_path, monkeypatch):
    other = Repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_INDEX_FILE", "elsewhere")
    monkeypatch.setenv("GIT_OBJECT_DIRECTORY", str(other.path / ".git" / "objects"))

    answer = ask(repository.path, "ls-files", "--full-name")

    assert answer.stdout == b"a.py\n"
    assert repository_of(repository.path).changed == 0


def test_settings_of_the_users_environment_stay(repository, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "user.name")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", "somebody")

    assert ask(repository.path, "config", "user.name").stdout == b"somebody\n"
    assert ask(repository.path, "config", "safe.bareRepository").stdout == b"explicit\n"


def test_its_words_are_english_whatever_the_users_language_is(repository, monkeypatch):
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    monkeypatch.setenv("LANGUAGE", "de")

    assert b"bad revision" in ask(repository.path, "diff", "nothing..HEAD", "--").stderr


def test_a_git_directory_that_is_none_is_passed_over(repository):
    inner = repository.path / "inner"
    (inner / ".git").mkdir(parents=True)

    assert repository_of(inner).top == repository.path


@pytest.mark.parametrize(
    "content", ["gitdir: nowhere\n", "gitdir: \0\n", "", "x" * 2_000_000, "gitdir: ../.git/objects"]
)
def test_a_git_file_that_leads_nowhere_is_said(repository, content):
    inner = repository.path / "inner"
    inner.mkdir()
    (inner / ".git").write_text(content)

    with (
        pytest.raises(git.GitError, match=r"git repository|larger than"),
        git.open_repository(inner),
    ):
        pass
    assert repository_of(inner) is None


def pipe(path):
    path.unlink()
    os.mkfifo(path)


def nothing(path):
    path.unlink()
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("swap", [pipe, nothing], ids=["pipe", "device"])
@pytest.mark.parametrize("name", ["config", "HEAD"])
def test_a_file_of_git_that_is_none_is_not_waited_for(repository, swap, name):
    swap(repository.path / ".git" / name)

    with pytest.raises(UserError, match=f"{name} is not a regular file"):
        changed_lines(repository.path, "HEAD", {})
    assert repository_of(repository.path) is None


def test_it_does_not_wait_for_ever(repository, tmp_path, monkeypatch):
    tools = tmp_path / "tools"
    tools.mkdir()
    slow = tools / "git"
    slow.write_text("#!/bin/sh\nsleep 600\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.setattr(git, "SECONDS", 0.2)

    with pytest.raises(UserError, match=r"git has not answered after 0\.2 seconds"):
        changed_lines(repository.path, "HEAD", {})
    assert repository_of(repository.path) is None


def test_a_git_that_the_project_brings_along_is_not_run(repository, program, ran, monkeypatch):
    own = repository.path / "bin"
    own.mkdir()
    shutil.copy(program, own / "git")
    monkeypatch.setenv("PATH", f"{own}:{os.environ['PATH']}")

    assert repository_of(repository.path).untracked == 1
    assert not ran.exists()


def imported(tree):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""


STARTING = {"Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"}
OF_OS = ("exec", "spawn", "posix_spawn", "system", "popen", "startfile", "fork")


def starts_processes(tree):
    """Whether a module calls what starts a process."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            module, name = node.value.id, node.attr
            if module == "subprocess" and name in STARTING:
                return True
            if module == "os" and name.startswith(OF_OS):
                return True
        elif isinstance(node, ast.ImportFrom) and node.module in {"subprocess", "pty"}:
            return True
    return False


@pytest.mark.slow
def test_nothing_else_starts_a_process():
    root = Path(awaken.__file__).parent
    starting, naming = set(), set()
    for file in root.rglob("*.py"):
        tree = ast.parse(file.read_bytes())
        name = file.relative_to(root).as_posix()
        if starts_processes(tree):
            starting.add(name)
        elif {"subprocess", "pty", "asyncio.subprocess"} & set(imported(tree)):
            naming.add(name)

    assert starting == MAY_START_PROCESSES.keys()
    assert naming == ONLY_NAMES.keys()


def test_a_diagnosis_of_the_machine_runs_nothing(program, ran, monkeypatch):
    shutil.copy(program, program.with_name("uname"))
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(platform, "_uname_cache", None)
    monkeypatch.setattr(platform, "_platform_cache", {})

    assert platform.system() in machine(None, use_cache=True).platform
    assert not ran.exists()

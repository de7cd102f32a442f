"""``awaken trust``: what it lets run, what takes it back, and that no project can say it itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from awaken.cli import main
from awaken.engine.machine import foreign_code
from awaken.passes.protocol import Unusable

SETTINGS = """
[project]
name = "shop"

[[tool.awaken.pass]]
libcst = "codemods.names.Rename"
arguments = { old = "a" }
name = "names"

[[tool.awaken.pass]]
bowler = "scripts/fix.py"
name = "fix"
"""
FILES = {
    "pyproject.toml": SETTINGS,
    "codemods/__init__.py": "",
    "codemods/names.py": "class Rename: ...\n",
    "scripts/fix.py": "def main(): ...\n",
    "shop.py": "x = 1\n",
}


@pytest.fixture
def started(monkeypatch):
    """Return what is started of foreign code: nothing is."""
    found = []

    class Started:
        def __init__(self, setup, **more):
            del more
            found.append(Path(setup.target).name.removesuffix(".py"))
            self.loaded = Unusable("not in this test")

        def end(self):
            pass

    monkeypatch.setattr(foreign_code, "ForeignCode", Started)
    return found


@pytest.fixture
def shop(tmp_path, monkeypatch, started):
    """Return a project that names two passes, in a repository of its own."""
    del started
    root = tmp_path / "shop"
    for path, text in FILES.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / ".git").mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))
    return root


def runs(started, *words):
    """Return which passes a run starts."""
    started.clear()
    main(["check", "--no-cache", "-q", *words])
    return sorted(started)


BOTH = ["codemods.names.Rename", "fix"]


def test_who_is_trusted_runs_until_that_is_taken_back(shop, started, capsys):
    assert runs(started) == []
    capsys.readouterr()
    assert main(["trust"]) == 0
    said = f"{shop}: names (libcst codemods.names.Rename), fix (bowler scripts/fix.py)"
    assert capsys.readouterr() == ("", f"trusted: {said}\n")
    assert runs(started) == BOTH
    assert runs(started, "--isolated") == []
    main(["doctor"])
    assert "not trusted" not in capsys.readouterr().out
    assert main(["trust", "--list"]) == 0
    assert capsys.readouterr().out == f"{said}\n"
    # It says nothing of the levels: what nobody proved stays unsafe.
    assert main(["trust", "codemods", "--remove"]) == 0
    assert "Nothing was trusted here." in capsys.readouterr().err
    assert main(["trust", "--remove"]) == 0
    assert capsys.readouterr().err == f"no longer trusted: {said}\n"
    assert runs(started) == []


def change(path, text):
    """Return what writes a file of the project, or takes it away."""

    def made(root):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            (root / path).unlink()
        else:
            (root / path).write_text(text)

    return made


def planted(path):
    """Return what puts a module there that would be imported in the place of the one trusted."""
    return change(path, "raise SystemExit\n")


@pytest.mark.parametrize(
    ("happens", "left"),
    [
        (change("codemods/names.py", "class Rename: 'evil'\n"), ["fix"]),
        (change("codemods/__init__.py", "evil\n"), ["fix"]),
        (change("codemods/names.py", None), ["fix"]),
        (planted("codemods.py"), ["fix"]),
        (planted("codemods/names/__init__.py"), ["fix"]),
        # Nothing but source is imported (`test_code_of_passes`).
        (planted("codemods/names.so"), BOTH),
        (planted("src/codemods/names.py"), ["fix"]),
        (planted("codemods/names/Rename.py"), ["fix"]),
        (change(".libcst.codemod.yaml", "modules: [evil]\n"), ["fix"]),
        (change("scripts/fix.py", "def main(): evil\n"), BOTH[:1]),
        (change("pyproject.toml", SETTINGS.replace('"a"', '"b"')), ["fix"]),
        (change("pyproject.toml", SETTINGS.replace("scripts/fix.py", "shop.py")), BOTH[:1]),
        (change("pyproject.toml", SETTINGS.replace('name = "fix"', 'name = "names2"')), BOTH[:1]),
        (change("pyproject.toml", f"{SETTINGS}per-hunk = true\n"), BOTH[:1]),
        (change("awaken.toml", '[[pass]]\nbowler = "shop.py"\nname = "fix"\n'), []),
        # What says nothing of a pass takes no trust from it.
        (change("shop.py", "x = 2\n"), BOTH),
        (change("pyproject.toml", f"# a comment\n{SETTINGS}"), BOTH),
    ],
)
@pytest.mark.sampled(4)
def test_a_change_of_a_pass_takes_the_trust_from_it_alone(shop, started, capsys, happens, left):
    main(["trust"])

    happens(shop)

    assert runs(started) == left
    main(["check"])
    said = capsys.readouterr().err
    assert ("names does not run: code that" in said) is (BOTH[0] not in left and "fix" in left)
    assert main(["trust", "-q"]) == 0


@pytest.mark.usefixtures("shop")
def test_what_is_changed_says_so(capsys):
    main(["trust", "-q"])
    Path("codemods/names.py").write_text("evil\n")

    main(["check"])

    said = capsys.readouterr().err
    assert "names does not run: code that pyproject.toml names, which is not what you" in said
    assert "`awaken trust`" in said
    main(["explain", "shop.py:1"])
    assert "which is not what you trusted any more" in " ".join(capsys.readouterr().out.split())


# ------------------------------------------------------------------------------------- other places
def test_another_place_is_not_trusted(shop, started, tmp_path, monkeypatch):
    main(["trust"])
    shutil.copytree(shop, tmp_path / "copy")
    shutil.copytree(shop, shop / "vendored")
    shutil.copytree(shop, shop / "nested" / "deep")
    shutil.rmtree(shop / "nested" / "deep" / ".git")
    (tmp_path / "link").symlink_to(shop)
    (shop / "inner").symlink_to(tmp_path / "copy")

    for place, found in {
        "copy": [],
        "shop/vendored": [],
        "shop/nested/deep": [],
        "shop/inner": [],
        # The same place by another way.
        "link": BOTH,
    }.items():
        monkeypatch.chdir(tmp_path / place)
        assert runs(started) == found, place


def test_who_trusts_a_project_trusts_no_repository_in_it(shop, started, monkeypatch):
    shutil.copytree(shop, shop / "vendored")
    shutil.copytree(shop, shop / "part")
    shutil.rmtree(shop / "part" / ".git")

    main(["trust"])

    for place, found in {"vendored": [], "part": BOTH, ".": [*BOTH[:1] * 2, *BOTH[1:] * 2]}.items():
        monkeypatch.chdir(shop / place)
        assert runs(started) == found, place


def test_settings_above_a_project_are_trusted_project_by_project(shop, started, monkeypatch):
    (shop / "pyproject.toml").rename(shop / "awaken.toml")
    settings = SETTINGS.replace("tool.awaken.", "").replace('[project]\nname = "shop"\n', "")
    (shop / "awaken.toml").write_text(settings)
    for name in ("api", "web"):
        (shop / name).mkdir()
        (shop / name / "pyproject.toml").write_text(f'[project]\nname = "{name}"\n')
        (shop / name / "a.py").write_text("x = 1\n")
    main(["trust", "api"])

    for name, found in {"api": BOTH, "web": []}.items():
        monkeypatch.chdir(shop / name)
        assert runs(started) == found, name
    monkeypatch.chdir(shop / "api")
    (shop / "scripts/fix.py").write_text("evil\n")
    assert runs(started) == BOTH[:1]


def test_a_worktree_is_another_place(shop, started, tmp_path, monkeypatch):
    shutil.rmtree(shop / ".git")
    names = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for words in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "first"]):
        subprocess.run(["git", *names, *words], check=True, cwd=shop)
    subprocess.run(["git", "worktree", "add", "-q", "../other"], check=True, cwd=shop)
    main(["trust"])

    monkeypatch.chdir(tmp_path / "other")
    assert runs(started) == []
    main(["trust"])
    assert runs(started) == BOTH


def test_what_stands_at_the_place_later_is_not_trusted(shop, started, monkeypatch, tmp_path):
    main(["trust"])
    monkeypatch.chdir(tmp_path)
    shop.rename(tmp_path / "gone")
    shutil.copytree(tmp_path / "gone", shop)
    (shop / "codemods/names.py").write_text("evil\n")
    (shop / "scripts/fix.py").unlink()
    (tmp_path / "evil.py").write_text("def main(): ...\n")
    (shop / "scripts/fix.py").symlink_to(tmp_path / "evil.py")

    assert runs(started, "shop") == []
    assert main(["trust", "shop"]) == 2


# -------------------------------------------------------------------- what a project brings along
def shipped(shop, state, root=None):
    """Put into ``state`` what says that the project is trusted."""
    here = os.environ["AWAKEN_STATE_DIR"]
    main(["trust", "-q"])
    shutil.copytree(here, state)
    shutil.rmtree(here)
    if root is not None:
        (one,) = (state / "trusted").iterdir()
        one.write_text(one.read_text().replace(str(shop), str(root)))


@pytest.mark.parametrize(
    "brought",
    [
        ("shop/.state", {"AWAKEN_STATE_DIR": "{tmp}/shop/.state"}),
        ("shop/.state", {"AWAKEN_STATE_DIR": ".state"}),
        ("shop/.state", {"AWAKEN_STATE_DIR": "{tmp}/link/.state"}),
        ("shop/home/.local/state/awaken", {"HOME": "{tmp}/shop/home"}),
        ("shop/.local/state/awaken", {"HOME": "{tmp}/shop"}),
        ("shop/state/awaken", {"XDG_STATE_HOME": "{tmp}/shop/state"}),
        # A repository that stands around, or beside it.
        (".state", {"AWAKEN_STATE_DIR": "{tmp}/.state", "around": "."}),
        ("other/home/.local/state/awaken", {"HOME": "{tmp}/other/home", "around": "other"}),
        ("state2", {"AWAKEN_STATE_DIR": "{tmp}/shop/linked", "link": "shop/linked"}),
    ],
)
def test_a_project_cannot_bring_the_trust_along(shop, started, tmp_path, monkeypatch, brought):
    state, variables = brought
    (tmp_path / "link").symlink_to(shop)
    place = tmp_path / state
    place.parent.mkdir(parents=True, exist_ok=True)
    shipped(shop, place)
    for name, value in variables.items():
        if name == "around":
            (tmp_path / value / ".git").mkdir(exist_ok=True)
        elif name == "link":
            (tmp_path / value).symlink_to(place)
        else:
            monkeypatch.setenv(name, value.format(tmp=tmp_path))
            if not name.startswith("AWAKEN"):
                monkeypatch.delenv("AWAKEN_STATE_DIR")
            if name == "HOME":
                monkeypatch.delenv("XDG_STATE_HOME", raising=False)

    assert runs(started) == []
    if "link" not in variables:
        assert main(["trust"]) == 2
        assert runs(started) == []


def test_home_in_git_keeps_the_trust_in_repositories_of_their_own(
    shop, started, tmp_path, monkeypatch
):
    (tmp_path / ".git").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    main(["trust", "-q"])

    assert runs(started) == BOTH
    # What belongs to the repository of the home directory came with it.
    shutil.rmtree(shop / ".git")
    assert runs(started) == []


@pytest.mark.usefixtures("shop")
def test_files_that_others_could_have_written_say_nothing(started, tmp_path):
    main(["trust", "-q"])
    state = tmp_path / "state"
    (one,) = (state / "trusted").iterdir()
    good = one.read_bytes()
    assert runs(started) == BOTH

    for mode in (0o644, 0o620, 0o602):
        one.chmod(mode)
        assert runs(started) == []
    one.unlink()
    aside = tmp_path / "aside.json"
    aside.write_bytes(good)
    aside.chmod(0o600)
    one.symlink_to(aside)
    assert runs(started) == []
    one.unlink()
    for text in (b"", b"[]", b"{", good.replace(b"shop", b"shap"), b"\xff"):
        one.write_bytes(text)
        one.chmod(0o600)
        assert runs(started) == []
    one.write_bytes(good)
    assert runs(started) == BOTH
    (state / "trusted").chmod(0o777)
    assert runs(started) == []
    (state / "trusted").rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").chmod(0o700)
    (state / "trusted").symlink_to(tmp_path / "elsewhere")
    assert runs(started) == []
    assert main(["trust"]) == 2


def test_nothing_in_the_project_speaks_for_it(shop, started):
    said = "AWAKEN_TRUST_PASSES=1\nAWAKEN_STATE_DIR=.state\nTRUST_PASSES=true\n"
    for name in (".env", ".envrc", ".python-version", "mise.toml", ".direnv/allow/x"):
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text(said)
    for name in (".awaken/trusted", "trusted", ".config/awaken", ".local/state/awaken/trusted"):
        (shop / name).mkdir(parents=True)
        (shop / name / "shop.json").write_text(json.dumps({"root": str(shop), "passes": {}}))

    assert runs(started) == []


# ------------------------------------------------------------------------------ what cannot be said
@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["trust"], "no settings here name a codemod or the tests, so there is nothing to trust"),
        (["trust", "nowhere"], "nowhere"),
        (["trust", "--list", "."], "shows all of them; leave out the other options"),
    ],
)
@pytest.mark.usefixtures("shop")
def test_what_cannot_be_trusted_is_one_sentence(capsys, words, why):
    Path("pyproject.toml").write_text('[project]\nname = "shop"\n')

    assert main(words) == 2
    assert why in capsys.readouterr().err


def test_settings_that_cannot_be_used_are_not_trusted(shop, capsys):
    (shop / "pyproject.toml").write_text(f"{SETTINGS}\nwrong = 1\n")

    assert main(["trust"]) == 2
    assert "there is no setting of a pass named 'wrong'" in capsys.readouterr().err


def test_a_path_that_is_not_utf8_is_one_sentence(shop, capsys, tmp_path, monkeypatch):
    place = tmp_path / os.fsdecode(b"caf\xe9")
    shop.rename(place)
    monkeypatch.chdir(place)

    assert main(["trust"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.startswith("error: the path ")
    assert "is not UTF-8, so awaken cannot remember your trust; pass" in said
    for words in (["check", "--trust-passes"], ["check"], ["trust", "--list"]):
        main(words)
        assert "internal error" not in capsys.readouterr().err


def test_a_script_outside_of_the_project_cannot_be_watched(shop, started, tmp_path, capsys):
    (tmp_path / "fix.py").write_text("def main(): ...\n")
    (shop / "pyproject.toml").write_text(SETTINGS.replace("scripts/fix.py", "../fix.py"))

    assert main(["trust"]) == 2
    assert "fix: awaken cannot read ../fix.py in the project" in capsys.readouterr().err
    assert runs(started) == []

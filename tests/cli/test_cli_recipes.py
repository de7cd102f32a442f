"""``awaken recipes``, ``migrate`` and ``--recipe``: a migration found, looked at and made."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest
from msgspec import structs
from real_program import GOOD, GOOD_AFTER, Program, awaken, git

from awaken import api
from awaken.engine.asking.kept_answers import with_answers
from awaken.engine.asking.questions import joined_answers, questions_of
from awaken.engine.recipe_run import run_steps
from awaken.engine.report import FileChange
from awaken.settings import Settings
from awaken.settings.model import Said
from awaken.settings.recipes import built_in, recipes_of
from awaken.settings.resolve import resolve
from awaken.workspace.sources import decode

BOOKSHOP = Path(__file__).parents[2] / "examples/bookshop"
QUERIES = 'steps = [{ summary = "Queries.", rules = { query-to-select = "safe" } }]\n'


def settings(recipe: str) -> str:
    return f'summary = "Ours."\n{recipe}'


@pytest.fixture
def shop(tmp_path, monkeypatch):
    program = Program(tmp_path / "shop", {"shop.py": GOOD})
    monkeypatch.chdir(program.root)
    return program


def with_recipe(program, text, name="ours"):
    manifest = (program.root / "pyproject.toml").read_text("utf-8")
    program.write("pyproject.toml", f"{manifest}\n[tool.awaken.recipes.{name}]\n{settings(text)}")


def committed(program):
    git(program.root, "init", "-q", "-b", "work")
    for key in ("user.name", "user.email"):
        git(program.root, "config", key, "a@example.org")
    git(program.root, "add", "-A")
    git(program.root, "commit", "-qm", "base")
    return program


def subjects(program):
    return git(program.root, "log", "--format=%s").decode().splitlines()


@pytest.mark.parametrize("name", built_in())
def test_a_built_in_recipe_names_rules_at_levels_they_have(name, tmp_path, monkeypatch):
    # Those of a project are checked when settings are read: these are written as one.
    monkeypatch.chdir(tmp_path)
    text = (Path(api.__file__).parent / f"recipes/{name}.toml").read_text("utf-8")
    text = text.replace("[[steps]]", "[[recipes.copy.steps]]")
    text = text.replace("[steps.rules]", "[recipes.copy.steps.rules]")
    (tmp_path / "awaken.toml").write_text(f"[recipes.copy]\n{text}", "utf-8")

    assert awaken("check", ".")[0] == 0


@pytest.mark.parametrize("name", built_in())
def test_the_summary_of_a_step_is_the_subject_of_a_commit(name):
    recipe = recipes_of({})[name]

    assert all(0 < len(step.summary.replace("`", "")) <= 72 for step in recipe.steps)


def test_the_audit_names_every_rule():
    assert set(recipes_of({})["audit"].names()) == {rule.name for rule in api.rules()}


@pytest.mark.usefixtures("shop")
def test_the_list_says_what_each_recipe_would_do():
    code, out = awaken("recipes")

    rows = {line.split()[0]: line for line in out.decode().splitlines() if line}
    assert code == 0
    assert "1 site  " in rows["sqlalchemy-2"]
    assert "done" in rows["asyncio"]


def test_the_page_of_a_recipe_has_its_steps_and_needs():
    code, out = awaken("recipes", "async-sessions")

    page = out.decode()
    assert code == 0
    assert "sqlalchemy >=2.0" in page
    assert "session-to-async" in page


@pytest.mark.usefixtures("shop")
def test_awaken_alone_says_which_recipes_are_for_this_program(capfd):
    code, out = awaken()

    assert code == 0
    assert b"migrate" in out
    assert "Recipes for this program: sqlalchemy-2" in capfd.readouterr().err


@pytest.mark.usefixtures("shop")
def test_a_check_ends_with_the_recipes_for_this_program(capfd):
    awaken("check")
    first = capfd.readouterr().err
    awaken("check")

    assert "Recipes for this program: sqlalchemy-2" in first
    assert "Recipes for this program: sqlalchemy-2" in capfd.readouterr().err, (
        "a recalled answer says it as well"
    )


def test_a_directory_that_is_no_project_is_not_read(tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.py").write_text(GOOD, "utf-8")

    assert awaken()[0] == 0
    assert "Recipes" not in capfd.readouterr().err


def contents(directory):
    files = (path for path in directory.resolve().rglob("*") if path.is_file())
    return {path: path.read_bytes() for path in files}


@pytest.mark.parametrize("name", built_in())
@pytest.mark.slow
def test_each_step_is_planned_on_what_the_one_before_left(name, tmp_path, monkeypatch):
    shutil.copytree(BOOKSHOP, tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")

    planned = list(api.run_recipe(name, [Path()]))

    original = contents(tmp_path)
    for run in planned:
        by_hand = api.Options(
            settings=api.Settings(select=run.step.names, unsafe=run.step.unsafe), use_cache=False
        )
        report = api.run([Path()], by_hand)
        files = [(file.path, file.after.raw()) for root in report.roots for file in root.files]
        assert files == [
            (file.path, file.after.raw()) for root in run.report.roots for file in root.files
        ]
        if run.step.rules:
            api.apply(report, command="test")
        now = contents(tmp_path)
        assert run.files == {path: now[path] for path in now if now[path] != original.get(path)}
    assert any(run.writes for run in planned) is (name != "audit")
    # All of it is made now.
    assert not any(run.writes for run in api.run_recipe(name, [Path()]))


def test_a_step_sees_the_file_that_the_one_before_makes(tmp_path, monkeypatch):
    manifest = '[project]\nname = "a"\nversion = "1"\nrequires-python = ">=3.11"\n'
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text(manifest, "utf-8")
    (tmp_path / "a.py").write_text("x = 1\n", "utf-8")
    overlay = {tmp_path.resolve() / "made.py": GOOD.encode()}

    report = api.run([Path()], api.Options(overlay=overlay))

    assert [finding.place.path for root in report.roots for finding in root.findings] == ["made.py"]


@pytest.mark.parametrize(("path", "is_seen"), [("pytest.ini", True), ("sub/pytest.ini", False)])
def test_a_step_sees_the_settings_of_pytest_that_the_one_before_makes(
    tmp_path, monkeypatch, path, is_seen
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "requirements.txt").write_text("pytest\npytest-asyncio\n", "utf-8")
    text = "import pytest\n\n\nasync def test_a():\n    pass\n"
    (tmp_path / "test_a.py").write_text(text, "utf-8")
    settings = Settings(select=("async-test-marker",), unsafe_fixes=True)
    overlay = {tmp_path.resolve() / path: b"[pytest]\nasyncio_mode = auto\n"}

    report = api.run([Path()], api.Options(settings=settings, overlay=overlay))

    assert any(root.findings for root in report.roots) is not is_seen


def test_a_migration_makes_a_commit_for_each_step(shop):
    committed(shop)

    code, out = awaken("migrate", "sqlalchemy-2", "--commit")

    assert code == 0
    assert "in 1 commit" in out.decode()
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER
    assert subjects(shop)[0].startswith("Rewrite session.query()")
    body = git(shop.root, "log", "-1", "--format=%b").decode()
    assert "step 2 of the recipe sqlalchemy-2" in body
    assert "query-to-select: 1 safe" in body
    assert git(shop.root, "status", "--porcelain") == b""
    commit = git(shop.root, "log", "-1", "--format=%h").decode().strip()
    assert f"undo the last step: git revert --no-edit {commit}" in out.decode()

    code, out = awaken("migrate", "sqlalchemy-2", "--commit")

    assert code == 0
    assert "Nothing is left to rewrite" in out.decode()
    assert len(subjects(shop)) == 2


def test_an_undone_commit_is_made_again(shop):
    committed(shop)
    awaken("migrate", "sqlalchemy-2", "--commit")
    git(shop.root, "revert", "--no-edit", "HEAD")

    awaken("migrate", "sqlalchemy-2", "--commit")

    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER
    assert len(subjects(shop)) == 4


def test_a_dry_run_writes_nothing(shop):
    before = shop.contents()

    code, out = awaken("migrate", "sqlalchemy-2", "--dry-run")

    assert code == 0
    assert "1 site in 1 file" in out.decode()
    assert "awaken migrate sqlalchemy-2" in out.decode()
    assert shop.contents() == before


def test_from_and_to_choose_the_steps(shop):
    awaken("migrate", "sqlalchemy-2", "--to", "1")
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD

    awaken("migrate", "sqlalchemy-2", "--from", "2", "--to", "2")
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER


def test_uncommitted_work_stops_a_migration_before_the_first_step(shop, capfd):
    committed(shop)
    shop.write("shop.py", GOOD + "# mine\n")

    assert awaken("migrate", "sqlalchemy-2")[0] == 2
    assert "uncommitted changes" in capfd.readouterr().err
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD + "# mine\n"


def test_a_hook_that_refuses_stops_the_migration(shop, capfd):
    committed(shop)
    hook = shop.root / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho no >&2\nexit 1\n", "utf-8")
    hook.chmod(0o755)

    assert awaken("migrate", "sqlalchemy-2", "--commit")[0] == 2

    err = capfd.readouterr().err
    assert "git made no commit (no)" in err
    assert subjects(shop) == ["base"]


def test_commits_need_a_branch(shop, capfd):
    committed(shop)
    git(shop.root, "checkout", "-q", "--detach")

    assert awaken("migrate", "sqlalchemy-2", "--commit")[0] == 2
    assert "HEAD is detached" in capfd.readouterr().err
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD


def test_commits_need_a_repository(shop, capfd):
    assert awaken("migrate", "sqlalchemy-2", "--commit")[0] == 2
    assert "is not in a git repository" in capfd.readouterr().err
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD


def test_the_recipe_of_a_project_runs_by_its_name(shop):
    with_recipe(shop, QUERIES)

    code, out = awaken("migrate", "ours")

    assert code == 0, out
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER


def test_a_recipe_may_include_another(shop):
    with_recipe(shop, 'steps = [{ include = "sqlalchemy-2" }]\n')

    assert len(recipes_of(api.listing([Path()]).settings[0].recipes)["ours"].steps) == 3
    assert awaken("migrate", "ours")[0] == 0
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD_AFTER


WRONG = {
    "an unknown rule": (
        'steps = [{ rules = { query-to-selec = "safe" } }]\n',
        "did you mean 'query-to-select'",
    ),
    "an unknown report": ('steps = [{ reports = ["dangling"] }]\n', "there is no rule named"),
    "an unknown recipe": (
        'steps = [{ include = "sqlalchemy" }]\n',
        "did you mean 'sqlalchemy-2'",
    ),
    "itself": ('steps = [{ include = "ours" }]\n', "'ours' includes 'ours' in turn"),
    "a level that the rule has not": (
        'steps = [{ rules = { session-to-async = "safe" } }]\n',
        'write session-to-async = "unsafe"',
    ),
    "no level": (
        'steps = [{ rules = { query-to-select = "sure" } }]\n',
        "must be one of 'safe', 'unsafe'",
    ),
    "advice that rewrites": (
        'steps = [{ rules = { lock-ordering = "safe" } }]\n',
        "name it in 'reports'",
    ),
    "nothing in a step": ("steps = [{}]\n", "a step has 'rules', 'reports' or 'include'"),
    "no steps": ("", "'steps' is missing here"),
    "an empty list": ("steps = []\n", "has no steps"),
    "an unknown key": ('steps = [{ rule = "x" }]\n', "did you mean 'rules'"),
}


@pytest.mark.parametrize("what", WRONG)
def test_a_recipe_that_cannot_be_used_is_an_error_with_its_line(shop, what, capfd):
    recipe, message = WRONG[what]
    with_recipe(shop, recipe)

    assert awaken("check")[0] == 2

    err = capfd.readouterr().err
    assert message in err
    assert err.startswith("error: pyproject.toml:")


def test_a_recipe_of_awaken_keeps_its_name(shop, capfd):
    with_recipe(shop, QUERIES, name="asyncio")

    assert awaken("check")[0] == 2
    assert "awaken has a recipe named 'asyncio'" in capfd.readouterr().err


def test_a_circle_of_two_recipes_is_an_error(shop, capfd):
    with_recipe(shop, 'steps = [{ include = "theirs" }]\n')
    with_recipe(shop, 'steps = [{ include = "ours" }]\n', name="theirs")

    assert awaken("check")[0] == 2
    assert "includes 'ours' in turn" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["migrate", "sqlalchemy"], "did you mean 'sqlalchemy-2'"),
        (["recipes", "sqlalchemy"], "did you mean 'sqlalchemy-2'"),
        (["check", "--recipe", "sqlalchemy"], "did you mean 'sqlalchemy-2'"),
        (["check", "--recipe", "asyncio", "--step", "9"], "has 5 steps, and no step 9"),
        (["check", "--step", "1"], "needs --recipe"),
        (["check", "--recipe", "asyncio", "--select", "ALL"], "leave out --select"),
        (["migrate", "asyncio", "--unsafe-fixes"], "leave out --unsafe-fixes"),
        (["migrate", "asyncio", "--from", "3", "--to", "2"], "2 is before --from 3"),
        (
            ["migrate", "asyncio", "--output-format", "json"],
            "--recipe asyncio` prints the other forms",
        ),
        (["check", "--recipe", "asyncio", "--blockers"], "--blockers is about rules"),
        (
            ["diff", "--recipe", "asyncio", "--output-format", "sarif"],
            "a recipe has no sarif output",
        ),
    ],
)
@pytest.mark.usefixtures("shop")
def test_a_slip_is_one_sentence(words, message, capfd):
    assert awaken(*words)[0] == 2
    assert message in capfd.readouterr().err


def test_ignored_rules_do_not_run(shop):
    code, _ = awaken("migrate", "sqlalchemy-2", "--ignore", "query-to-select")

    assert code == 0
    assert (shop.root / "shop.py").read_text("utf-8") == GOOD


@pytest.mark.usefixtures("shop")
def test_the_json_says_of_which_step_a_site_is():
    code, out = awaken("check", "--recipe", "sqlalchemy-2", "--output-format", "json")

    document = json.loads(out)
    assert code == 1
    assert [finding["step"] for finding in document["findings"]] == [2]
    assert [root["step"] for root in document["roots"]] == [1, 2, 3]


@pytest.mark.slow
def test_the_patch_of_a_recipe_can_be_applied(tmp_path, monkeypatch):
    shutil.copytree(BOOKSHOP, tmp_path / "shop")
    monkeypatch.chdir(tmp_path / "shop")
    git(tmp_path / "shop", "init", "-q")

    _, patch = awaken("diff", "--recipe", "async-sessions")
    git(tmp_path / "shop", "apply", given=patch)
    applied = {path: path.read_bytes() for path in Path().rglob("*.py")}
    git(tmp_path / "shop", "apply", "-R", given=patch)
    awaken("migrate", "async-sessions", "--allow-dirty")

    assert applied == {path: path.read_bytes() for path in Path().rglob("*.py")}


@pytest.mark.usefixtures("shop")
def test_a_step_that_another_undoes_stops_the_recipe():
    made = api.run([Path()])
    (root,) = made.roots
    back = FileChange("shop.py", root.files[0].after, decode("shop.py", GOOD.encode()))
    undone = structs.replace(made, roots=(structs.replace(root, files=(back,)),))
    answers = iter([made, undone])

    def run(*_asked):
        return next(answers)

    recipe = recipes_of({})["sqlalchemy-2"]
    runs = list(run_steps(recipe, Settings(), api.rules(), run, range(1, 4)))

    assert len(runs) == 2
    assert "reverts an earlier step" in runs[1].report.diagnostics[0].message


def test_a_blocked_step_is_said_and_those_before_it_are_made(tmp_path, monkeypatch):
    blocked = """\
import threading

from sqlalchemy import create_engine
from sqlalchemy.orm import Session, sessionmaker

from models import User

engine = create_engine("sqlite:///a.db")
Local = sessionmaker(engine)


def find(name):
    with Local() as db:
        return db.query(User).filter_by(name=name).all()


def run(plugin):
    plugin.register(find)
"""
    program = committed(Program(tmp_path / "shop", {"shop.py": blocked}))
    monkeypatch.chdir(program.root)

    code, out = awaken("migrate", "async-sessions", "--commit")

    text = out.decode()
    assert code == 1, text
    assert "Step 2 is blocked, and so are the steps after it." in text
    assert "awaken check --recipe async-sessions --step 2" in text
    assert len(subjects(program)) == 2
    assert "select(User)" in (program.root / "shop.py").read_text("utf-8")


def test_the_page_names_every_recipe_with_its_summary():
    page = (Path(__file__).parents[2] / "docs/recipes.md").read_text("utf-8")

    rows = [f"| `{name}` | {one.summary} |" for name, one in recipes_of({}).items()]
    assert sorted(rows) == sorted(line for line in page.splitlines() if line.startswith("| `"))


PACKAGE = {
    "pyproject.toml": """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.11"
dependencies = ["sqlalchemy>=2.0"]

[project.entry-points."plugins"]
shop = "shop.store"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
""",
    "shop/__init__.py": "",
    "shop/store.py": """\
from sqlalchemy import create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, sessionmaker

__all__ = ["find"]

engine = create_engine("sqlite:///shop.db")
Local = sessionmaker(engine)


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


def find(name: str):
    with Local() as db:
        return db.scalars(select(User).filter_by(name=name)).all()
""",
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    for name, text in PACKAGE.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_without_a_terminal_a_question_is_an_error_with_what_to_put_where(package):
    before = (package / "shop/store.py").read_text("utf-8")

    code, out = awaken("migrate", "async-sessions")

    text = out.decode()
    assert code == 2
    assert "shop/store.py:20: code outside the project may import `find`" in text
    assert "[tool.awaken]\n  published = false" in text
    assert "--to 1" in text
    assert (package / "shop/store.py").read_text("utf-8") == before


def test_a_file_that_no_python_reads_holds_up_no_migration(package, capfd):
    stray = "from shop.store import find\n\ndef found(a=1, b):\n    return find(a)\n"
    (package / "stray.py").write_text(stray, "utf-8")

    code, _ = awaken("migrate", "async-sessions", "--no-published")

    assert code == 0
    assert "stray.py:3: " in capfd.readouterr().err
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")
    assert (package / "stray.py").read_text("utf-8") == stray


def test_where_a_part_of_a_project_is_blocked_the_whole_can_be_planned(package, monkeypatch):
    whole = awaken("migrate", "async-sessions", "--dry-run")[1].decode()
    part = awaken("migrate", "async-sessions", "--dry-run", "shop")[1].decode()
    monkeypatch.chdir(package.parent)
    outside = awaken("migrate", "async-sessions", "--dry-run", f"{package.name}/shop")[1].decode()

    to_plan = "To plan it for the whole project: awaken migrate async-sessions --dry-run"
    assert "is blocked" in whole
    assert "To plan it" not in whole
    assert f"{to_plan}\n" in part
    assert f"{to_plan} {package.name}\n" in outside


def test_the_answer_to_a_question_as_it_is_printed_takes_it_back(package):
    _, out = awaken("migrate", "async-sessions")
    rows = [line.strip() for line in out.decode().splitlines() if line.startswith("  ")]
    answer = "\n".join(rows[rows.index("[tool.awaken]") :])
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(f"\n{answer}\n")

    assert awaken("migrate", "async-sessions")[0] == 0
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")


def test_a_question_names_the_settings_that_are_read_from_a_folder_below_them(package, monkeypatch):
    monkeypatch.chdir(package / "shop")

    _, out = awaken("migrate", "async-sessions")

    assert "add it to ../pyproject.toml and run" in " ".join(out.decode().split())


def test_on_a_terminal_a_question_is_asked(package, monkeypatch):
    answering(monkeypatch, "x", "1", "")

    code, out = awaken("migrate", "async-sessions")

    assert code == 0
    assert "Keep your answers in pyproject.toml" in out.decode()
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")


@pytest.mark.parametrize(
    ("url", "answers"),
    [
        (
            'f"postgresql://{HOST}/shop"',
            [
                'rules.session-to-async.drivers.postgresql = "psycopg"',
                'rules.session-to-async.drivers.postgresql = "asyncpg"',
            ],
        ),
        ("os.environ['DATABASE_URL']", ['rules.session-to-async.drivers.postgresql = "psycopg"']),
    ],
)
def test_the_driver_of_a_database_is_a_question(package, url, answers):
    text = PACKAGE["shop/store.py"].replace('"sqlite:///shop.db"', url)
    text = text.replace('__all__ = ["find"]', "HOST = os.environ['HOST']")
    (package / "shop/store.py").write_text(f"import os\n\n{text}", "utf-8")

    (question,) = questions_of(api.run_recipe("async-sessions", [Path()]))
    _, out = awaken("migrate", "async-sessions")

    assert list(question.answers)[: len(answers)] == answers
    assert '[tool.awaken.rules.session-to-async.drivers]\n  postgresql = "psycopg"' in out.decode()
    for answer in answers:
        options = api.Options(config=(answer,))
        assert not any(
            run.is_blocked for run in api.run_recipe("async-sessions", [Path()], options)
        )


def answering(monkeypatch, *lines):
    asked = iter([f"{line}\n" for line in lines])
    monkeypatch.setattr("awaken.cli.commands.migrating.questions.can_ask", lambda: True)
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"readline": lambda _: next(asked, "")})())


DRIVERS = 'rules.session-to-async.drivers.postgresql = "asyncpg"'
BRIDGED = 'rules.session-to-async.bridged = ["a.b"]'


@pytest.mark.parametrize(
    ("above", "text", "answers", "after"),
    [
        ("tool.awaken", "", [DRIVERS], '[TABLE.drivers]\npostgresql = "asyncpg"\n'),
        (
            "tool.awaken",
            '[TABLE]\ndrivers = { mysql = "asyncmy" } # ours\n\n[o]\n',
            [DRIVERS],
            '[TABLE]\ndrivers = { mysql = "asyncmy", postgresql = "asyncpg" } # ours\n\n[o]\n',
        ),
        (
            "tool.awaken",
            '[TABLE]\ndrivers = {mysql = "asyncmy"} # ours\n',
            [DRIVERS],
            '[TABLE]\ndrivers = {mysql = "asyncmy", postgresql = "asyncpg"} # ours\n',
        ),
        (
            "tool.awaken",
            "[TABLE]\ndrivers = {}\nbridged = []\n",
            [DRIVERS],
            '[TABLE]\ndrivers = {postgresql = "asyncpg"}\nbridged = []\n',
        ),
        (
            "tool.awaken",
            '[TABLE.drivers]\nmysql = "asyncmy"\n\n# other\n[tool.other]\n',
            [DRIVERS],
            '[TABLE.drivers]\nmysql = "asyncmy"\npostgresql = "asyncpg"\n\n# other\n[tool.other]\n',
        ),
        (
            "tool.awaken",
            '[TABLE]\nbridged = ["c.d"]\n',
            [BRIDGED],
            '[TABLE]\nbridged = ["c.d", "a.b"]\n',
        ),
        ("", "", ["published = false"], "published = false\n"),
        ("", "# ours\npublished = true\n", ["published = false"], "# ours\npublished = false\n"),
        (
            "",
            "[TABLE]\nlevels = 2\n",
            ["published = false"],
            "published = false\n\n[TABLE]\nlevels = 2\n",
        ),
    ],
)
def test_answers_are_written_into_the_settings_and_all_else_is_kept(above, text, answers, after):
    table = f"{above}.rules.session-to-async".lstrip(".")
    above = above.split(".") if above else []
    assert with_answers(text.replace("TABLE", table), above, answers) == after.replace(
        "TABLE", table
    )


def test_on_a_terminal_the_answers_are_written_if_the_user_agrees(package, monkeypatch):
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write("# ours\r\n")
    answering(monkeypatch, "1", "y")

    code, out = awaken("migrate", "async-sessions")

    after = (package / "pyproject.toml").read_bytes()
    assert code == 0
    assert after.endswith(b"# ours\r\n\n[tool.awaken]\npublished = false\n")
    assert "Keep your answers" not in out.decode()
    assert "async def find" in (package / "shop/store.py").read_text("utf-8")


def test_a_file_that_takes_no_answers_is_left_and_the_migration_goes_on(
    package, monkeypatch, capfd
):
    (package / "awaken.toml").write_text("select = ['ALL']\n", "utf-8")
    (package / "awaken.toml").chmod(0o444)
    answering(monkeypatch, "1", "y")

    code, out = awaken("migrate", "async-sessions")

    assert code == 0
    assert "awaken.toml" in capfd.readouterr().err
    assert "Keep your answers" in out.decode()
    assert (package / "awaken.toml").read_text("utf-8") == "select = ['ALL']\n"


def test_an_answer_for_one_database_keeps_those_of_the_file():
    known = {"rules": {"session-to-async": {"bridged": ["c.d"]}}}
    assert joined_answers([BRIDGED], [known]) == ['rules.session-to-async.bridged = ["c.d", "a.b"]']


def test_a_driver_of_the_command_line_adds_to_those_of_the_file(package):
    text = PACKAGE["shop/store.py"].replace("sqlite:///shop.db", "postgresql://localhost/shop")
    (package / "shop/store.py").write_text(text, "utf-8")
    with (package / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(
            "[tool.awaken]\npublished = false\n"
            '[tool.awaken.rules.session-to-async.drivers]\nmysql = "asyncmy"\n'
        )
    settings = resolve(package, Said(config=(DRIVERS,)), rules=api.rules())
    assert settings.options["session-to-async"].drivers == {
        "mysql": "asyncmy",
        "postgresql": "asyncpg",
    }


def test_answers_to_one_setting_add_up():
    answers = [
        'rules.session-to-async.bridged = ["a.b"]',
        'rules.session-to-async.bridged = ["a.c"]',
        'rules.session-to-async.drivers.sqlite = "aiosqlite"',
    ]

    assert joined_answers(answers) == [
        'rules.session-to-async.bridged = ["a.b", "a.c"]',
        'rules.session-to-async.drivers.sqlite = "aiosqlite"',
    ]


SYNCHRONOUS = """\
from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session, sessionmaker

from models import User

engine = create_engine("postgresql+psycopg2://localhost/shop")
Local = sessionmaker(engine)
app = FastAPI()


def get_db():
    with Local() as db:
        yield db


@app.get("/users")
def users(db: Session = Depends(get_db)):
    return [user.name for user in db.scalars(select(User))]
"""
DEPENDENCIES = """\
[project]
name = "shop"
version = "1"
requires-python = ">=3.12"
dependencies = [
    "fastapi>=0.115",
    "sqlalchemy>=2.0,<2.1",
    "psycopg2-binary>=2.9",
]

[tool.awaken.rules.session-to-async]
drivers = { postgresql = "asyncpg" }
"""


def test_a_migration_ends_with_what_names_the_former_driver(tmp_path, monkeypatch):
    program = Program(tmp_path / "shop", {"shop.py": SYNCHRONOUS})
    program.write("pyproject.toml", DEPENDENCIES)
    program.write("compose.yaml", "services:\n  db: postgresql+psycopg2://db/shop\n")
    program.write(".github/workflows/ci.yml", "env:\n  A: postgresql+asyncpg://db/shop\n")
    monkeypatch.chdir(committed(program).root)

    code, out = awaken("migrate", "async-sessions", "--dry-run")

    text = " ".join(out.decode().split())
    assert code == 0, text
    assert "compose.yaml:2: this URL names `postgresql+psycopg2`, but the program now uses" in text
    assert "pyproject.toml:8: no file uses `psycopg2-binary` any more" not in text
    assert "ci.yml" not in text
    monkeypatch.chdir(program.root.parent)
    assert (
        b"  - shop/compose.yaml:2: " in awaken("migrate", "async-sessions", "--dry-run", "shop")[1]
    )
    monkeypatch.chdir(program.root)

    program.write("compose.yaml", "services:\n  db: postgresql://db/shop\n")
    code, out = awaken("migrate", "async-sessions", "--allow-dirty")

    text = " ".join(out.decode().split())
    assert code == 0, text
    assert "compose.yaml:2: this URL names `postgresql`, but the program now uses" in text
    assert "pyproject.toml:8: no file uses `psycopg2-binary` any more" in text
    assert "Step 2 may change this:" in text


def test_files_that_may_name_the_former_driver_are_read_in_the_encoding_of_settings(
    tmp_path, monkeypatch
):
    program = Program(tmp_path / "shop", {"shop.py": SYNCHRONOUS})
    program.write("pyproject.toml", DEPENDENCIES)
    (program.root / "requirements.txt").write_text("psycopg2==2.9.10\n", "utf-16")
    (program.root / ".env").write_bytes(b"NAME=\xff\n")
    monkeypatch.chdir(committed(program).root)

    code, out = awaken("migrate", "async-sessions", "--dry-run")

    assert code == 0
    text = " ".join(out.decode().split())
    assert "requirements.txt:2: no file uses `psycopg2` any more" in text

    program.write("migrations/env.py", "engine = engine_from_config(config.sections)\n")
    text = awaken("migrate", "async-sessions", "--dry-run", "--allow-dirty")[1].decode()

    assert "Step 2 also changes" in text
    assert "any more" not in text


def test_a_migration_ends_with_the_sites_that_it_leaves_where_they_are_now(shop, monkeypatch):
    with_recipe(shop, QUERIES)
    text = f"{GOOD}\n\ndef rows(db: Session, kind):\n    return db.query(kind).all()\n"
    shop.write("shop.py", text)
    monkeypatch.chdir(committed(shop).root)

    dry = awaken("migrate", "ours", "--dry-run")[1].decode()
    code, out = awaken("migrate", "ours")

    left = (shop.root / "shop.py").read_text().splitlines()
    line = next(number for number, one in enumerate(left, 1) if "db.query(kind)" in one)
    assert code == 0
    assert line == len(left) > len(text.splitlines()), "the change moves the line"
    assert "To see what is left by hand: awaken check --recipe ours\n" in dry
    assert f"To change by hand, 1 site:\n  - shop.py:{line}: `kind` may be" in out.decode()


CONDITIONAL = """\
import os
from typing import Annotated

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session, sessionmaker

Local = sessionmaker(create_engine("sqlite:///notes.db"))
app = FastAPI()


def get_session():
    with Local() as session:
        yield session


if "plain" not in os.environ:
    Session = Annotated[Session, Depends(get_session)]


@app.get("/notes")
def notes(db: Session):
    return db.scalar(text("SELECT 1"))


@app.get("/others")
def others(db=Depends(get_session)):
    return db.scalar(text("SELECT 2"))
"""
SCRIPT = """\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session


def main():
    with Session(create_engine("sqlite:///seeds.db")) as session:
        session.execute(text("SELECT 1"))


if __name__ == "__main__":
    main()
"""


def test_a_part_that_stays_is_led_by_its_causes(tmp_path, monkeypatch):
    program = Program(tmp_path / "shop", {"shop.py": CONDITIONAL, "seed.py": SCRIPT})
    program.write("pyproject.toml", DEPENDENCIES)
    monkeypatch.chdir(committed(program).root)

    code, said = awaken("migrate", "async-sessions")
    out = said.decode()

    assert code == 1, "a part of the program is not what the recipe asks"
    assert "sites rewritten in 1 file, plus pyproject.toml" in out
    _, by_hand = out.split("To change by hand, ")
    listed, causes = by_hand.split("session-to-async: 1 cause keeps 2 functions synchronous\n")
    assert listed.count("  - ") == 1, "no site that waits for it"
    assert "  - `notes`: this may be called on a session" in causes


def test_a_site_that_two_steps_leave_is_listed_once(shop, monkeypatch):
    two = QUERIES.replace(
        "}]", "}, { rules = { raw-sql-text = 'safe', query-to-select = 'safe' } }]"
    )
    with_recipe(shop, two)
    kinds = "\n\ndef rows(db: Session, kind):\n    return db.query(kind).all()\n"
    shop.write("shop.py", GOOD + kinds)
    monkeypatch.chdir(committed(shop).root)

    out = awaken("migrate", "ours")[1].decode()

    assert out.count("`kind` may be a mapped class") == 1


def test_a_wrong_setting_stops_a_migration_and_is_said_once(shop, capfd):
    shop.write("awaken.toml", "nothing = 1\n")

    code, out = awaken("migrate", "async-sessions", "--dry-run")

    assert code == 2
    assert capfd.readouterr().err.count("there is no setting named 'nothing'") == 1
    assert "Nothing was written." in out.decode()


def test_a_step_that_needs_other_versions_is_not_done(package):
    manifest = package / "pyproject.toml"
    text = manifest.read_text("utf-8").replace("[tool.awaken]", "[tool.awaken]\npublished = false")
    manifest.write_text(re.sub(r"sqlalchemy[^\"]*\"", 'sqlalchemy==1.4.46"', text), "utf-8")

    code, out = awaken("migrate", "async-sessions", "--dry-run")
    recipes = awaken("recipes")[1].decode()

    assert code == 1
    row = next(line for line in out.decode().splitlines() if line.startswith("  2  "))
    assert re.match(r"  2  \d+ sites? needs? sqlalchemy>=2\.0  ", row)
    assert re.search(r"^async-sessions +.*needs? sqlalchemy>=2\.0  ", recipes, re.MULTILINE)
    assert not re.search(r"^audit .*need", recipes, re.MULTILINE)


@pytest.mark.parametrize("lines", [[], ["1"]], ids=["at the question", "before the last one"])
def test_a_terminal_that_goes_away_writes_nothing(package, monkeypatch, capfd, lines):
    answering(monkeypatch, *lines)
    before = {path: path.read_bytes() for path in package.rglob("*") if path.is_file()}

    code, _ = awaken("migrate", "async-sessions")

    assert code == 2
    assert "the terminal closed before the answer" in capfd.readouterr().err
    assert {path: path.read_bytes() for path in package.rglob("*") if path.is_file()} == before


@pytest.mark.usefixtures("package")
def test_a_closed_terminal_is_no_internal_error(monkeypatch, capfd):
    def closed(_):
        raise OSError(5, "Input/output error")

    answering(monkeypatch)
    monkeypatch.setattr("sys.stdin", type("Stdin", (), {"readline": closed})())

    assert awaken("migrate", "async-sessions")[0] == 2
    assert "the terminal closed" in capfd.readouterr().err


COMPONENTS = {
    "pyproject.toml": PACKAGE["pyproject.toml"].replace(
        '[project.entry-points."plugins"]', "[tool.awaken]\npublished = false\n\n[tool.none]"
    ),
    **{
        f"{name}.py": f"""\
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

engine = create_engine("sqlite:///{name}.db")
Local = sessionmaker(engine)


def count_{name}() -> int:
    with Local() as db:
        return db.scalar(text("select 1"))
"""
        for name in ("orders", "stock")
    },
    "main.py": """\
from fastapi import FastAPI

from orders import count_orders
from stock import count_stock

app = FastAPI()


@app.get("/orders")
def orders() -> int:
    return count_orders()


@app.get("/stock")
def stock() -> int:
    return count_stock()
""",
}


def test_a_component_is_migrated_and_the_others_stay(tmp_path, monkeypatch):
    for name, text in COMPONENTS.items():
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.chdir(tmp_path)

    awaken("migrate", "async-sessions", "--component", "orders.count_orders")

    assert "async def count_orders" in (tmp_path / "orders.py").read_text("utf-8")
    main = (tmp_path / "main.py").read_text("utf-8")
    assert "async def orders" in main
    assert "async def stock" not in main
    assert (tmp_path / "stock.py").read_text("utf-8") == COMPONENTS["stock.py"]


def test_an_option_of_a_rule_that_no_step_runs_is_a_slip(package, capfd):
    assert awaken("check", "--recipe", "fastapi", "--component", "a.b", str(package))[0] == 2
    assert "--component is an option of session-to-async" in capfd.readouterr().err

"""``awaken recipes`` and ``--recipe``: a migration found, looked at and planned."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from migrated_programs import BOOKSHOP, QUERIES, with_recipe
from msgspec import structs
from real_program import GOOD, GOOD_AFTER, NAMED_USER, awaken, git

from awaken import api
from awaken.engine.recipe_run import run_steps
from awaken.engine.report import FileChange
from awaken.project.source.programs import module_store
from awaken.settings import Settings
from awaken.settings.recipe_tables import built_in, recipes_of
from awaken.workspace import parsing
from awaken.workspace.sources import decode


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
        (["recipes", "."], "lists those for the program in the current directory"),
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


LOOKED_AT_TWICE = """\
[[tool.awaken.recipes.ours.steps]]
summary = "Look."
reports = ["query-to-select"]
[[tool.awaken.recipes.ours.steps]]
summary = "Rewrite."
rules = { query-to-select = "safe" }
"""
HELPER = "from sqlalchemy.orm import Session\n\n\ndef opened() -> Session:\n    ...\n"
ASKING = GOOD.replace("db: Session", "").replace(
    "Session\n", "Session\nfrom helper import opened\n"
)


def planned_twice(program, helper, **options):
    """Return the levels of the sites, by step, in a program whose sessions ``helper`` gives."""
    program.write("helper.py", helper)
    runs = api.run_recipe("ours", [program.root], api.Options(**options))
    return [[item.level for root in run.report.roots for item in root.findings] for run in runs]


@pytest.fixture
def looked_at_twice(shop):
    recipe = LOOKED_AT_TWICE.replace("[[", '[tool.awaken.recipes.ours]\nsummary = "Ours."\n[[', 1)
    manifest = (shop.root / "pyproject.toml").read_text("utf-8")
    shop.write("pyproject.toml", f"{manifest}\n{recipe}")
    shop.write("shop.py", ASKING.replace("\n    return", "\n    db = opened()\n    return"))
    return shop


def test_the_steps_of_a_recipe_parse_a_text_that_none_edits_once(looked_at_twice, monkeypatch):
    parsed, parse = Counter(), parsing.parse
    monkeypatch.setattr(
        module_store, "parse", lambda source: parsed.update([source.text]) or parse(source)
    )

    levels = planned_twice(looked_at_twice, HELPER, use_cache=False, jobs=1)

    assert [len(each) for each in levels] == [1, 1]
    assert parsed[HELPER.encode()] == parsed[NAMED_USER.encode()] == 1


def test_a_step_is_planned_again_for_a_file_that_the_one_before_parsed(looked_at_twice):
    first = planned_twice(looked_at_twice, HELPER)
    other = HELPER.replace("-> Session", "-> dict[str, int]")

    kept = planned_twice(looked_at_twice, other)

    assert kept == planned_twice(looked_at_twice, other, use_cache=False) != first


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


def test_the_page_names_every_recipe_with_its_summary():
    page = (Path(__file__).parents[2] / "docs/recipes.md").read_text("utf-8")

    rows = [f"| `{name}` | {one.summary} |" for name, one in recipes_of({}).items()]
    assert sorted(rows) == sorted(line for line in page.splitlines() if line.startswith("| `"))

"""What the engine promises about changes, shown with small rules that need every promise."""

from __future__ import annotations

from itertools import count

import pytest
from rules_for_tests import WithSetting
from transaction_cases import MANIFEST, TRANSACTIONS, dependencies, failing_at, on_disk, run, shown

from awaken import api
from awaken.settings import Settings

pytestmark = pytest.mark.usefixtures("own_state")
CHANGING = [name for name, transaction in TRANSACTIONS.items() if transaction.after]
NO_SPACE = OSError(28, "No space left on device")


@pytest.fixture
def own_state(tmp_path, monkeypatch):
    monkeypatch.setenv("AWAKEN_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture(params=TRANSACTIONS)
def transaction(request):
    return TRANSACTIONS[request.param]


@pytest.fixture(params=CHANGING)
def changing(request):
    return TRANSACTIONS[request.param]


@pytest.fixture
def root(tmp_path):
    return tmp_path / "project"


def test_result(transaction, root):
    transaction.write(root)
    report = run(transaction, root)
    assert shown(report) == transaction.after
    assert [finding.level for finding in report.roots[0].findings] == transaction.levels


def test_diagnostics_name_what_went_wrong(transaction, root):
    transaction.write(root)
    lines = [
        f"{diagnostic.path}: {diagnostic.message}"
        for diagnostic in run(transaction, root).roots[0].diagnostics
    ]
    assert len(lines) == len(transaction.diagnostics)
    for line, words in zip(lines, transaction.diagnostics, strict=True):
        assert all(word in line for word in words)


def test_every_finding_stands_on_its_call_on_disk(transaction, root):
    transaction.write(root)
    report = run(transaction, root).roots[0]
    for finding in report.findings:
        text = transaction.before[finding.place.path]
        found = text[finding.place.span.start : finding.place.span.end]
        assert found.endswith(")")
        assert found.partition("(")[0] in {rule.old for rule in transaction.rules} | {"step_one"}


def test_apply_writes_what_was_shown_and_undo_takes_it_back(changing, root):
    changing.write(root)
    before = on_disk(root)
    report = run(changing, root)
    api.apply(report)
    written = {path: text.encode() for path, text in shown(report).items()}
    assert on_disk(root) == {**before, **written}
    api.undo(root)
    assert on_disk(root) == before


def test_second_run_changes_nothing(changing, root):
    changing.write(root)
    api.apply(run(changing, root))
    assert shown(run(changing, root)) == {}


@pytest.mark.parametrize("error", [NO_SPACE, KeyboardInterrupt()], ids=["disk-full", "ctrl-c"])
def test_fault_at_every_write_point_leaves_all_as_it_was(changing, root, monkeypatch, error):
    changing.write(root)
    before = on_disk(root)
    report = run(changing, root)
    written = {path: text.encode() for path, text in shown(report).items()}
    for number in count(1):
        with failing_at(monkeypatch, number, error) as done:
            outcome = _outcome(api.apply, report)
        if outcome is None:
            assert on_disk(root) == {**before, **written}
            api.undo(root)
        assert on_disk(root) == before
        if len(done) < number:
            break
    assert outcome is None
    assert number > len(written)


def _outcome(action, *arguments):
    """Return what ``action`` raised, or None."""
    try:
        action(*arguments)
    except (KeyboardInterrupt, Exception) as error:  # noqa: BLE001  any outcome is looked at
        return error
    return None


def test_fault_at_every_point_of_undo_can_be_repaired(changing, root, monkeypatch):
    changing.write(root)
    before = on_disk(root)
    report = run(changing, root)
    for number in count(1):
        api.apply(report)
        with failing_at(monkeypatch, number, NO_SPACE) as done:
            outcome = _outcome(api.undo, root)
        if outcome is not None:
            api.undo(root)
        assert on_disk(root) == before
        if len(done) < number:
            break
    assert outcome is None
    assert number > 1


def test_any_site_can_be_left_out(changing, root):
    changing.write(root)
    full = run(changing, root).roots[0]
    for site in {site for change in full.changes for site in change.sites}:
        rest = run(changing, root, excluded=frozenset({site}))
        made = {site for change in rest.roots[0].changes for site in change.sites}
        assert site not in made
        assert [d for d in rest.roots[0].diagnostics if d not in full.diagnostics] == []
        for path, text in shown(rest).items():
            if path.endswith(".py"):
                compile(text, path, "exec")


def test_all_sites_left_out_leave_nothing_to_do(changing, root):
    changing.write(root)
    sites = frozenset()
    # A later phase has sites only where an earlier one made its change.
    for _ in range(2):
        findings = run(changing, root, excluded=sites).roots[0].findings
        sites |= {finding.site for finding in findings}
    assert shown(run(changing, root, excluded=sites)) == {}


@pytest.mark.parametrize("path", ["a.py", "b.py"])
def test_only_selected_paths_are_written(changing, root, path):
    changing.write(root)
    if path not in changing.before:
        (root / path).write_text("print(1)\n")
    before = on_disk(root)
    report = run(changing, root, paths=[root / path])
    assert set(shown(report)) <= {path, "helpers.py", "pyproject.toml", "setup.cfg"}
    api.apply(report)
    changed = {name for name, content in on_disk(root).items() if before.get(name) != content}
    assert changed == set(shown(report))


@pytest.mark.parametrize("jobs", [2, 4])
def test_jobs_change_nothing(transaction, root, jobs):
    transaction.write(root)
    one, more = run(transaction, root).roots[0], run(transaction, root, jobs=jobs).roots[0]
    assert more.findings == one.findings
    assert more.files == one.files
    assert more.changes == one.changes
    assert more.diagnostics == one.diagnostics


def test_a_change_over_files_is_refused_outside_the_selected_paths(root):
    transaction = TRANSACTIONS["a-over-three-files"]
    transaction.write(root)
    report = run(transaction, root, paths=[root / "a.py"]).roots[0]
    assert report.files == ()
    assert {finding.reason for finding in report.findings} == {"engine/outside-selected-paths"}
    assert all("b.py" in finding.message for finding in report.findings)


def test_the_shared_file_stays_while_one_dependant_is_left(root):
    transaction = TRANSACTIONS["c-shared-file-and-requirement"]
    transaction.write(root)
    first, second = (finding.site for finding in run(transaction, root).roots[0].findings)
    one = shown(run(transaction, root, excluded=frozenset({first})))
    assert set(one) == {"b.py", "helpers.py", "pyproject.toml"}
    assert dependencies(one["pyproject.toml"]) == ["fastapi", "httpx>=0.27"]
    assert shown(run(transaction, root, excluded=frozenset({first, second}))) == {}


def test_what_cannot_be_written_is_left_to_do(root):
    transaction = TRANSACTIONS["c-settings-that-cannot-be-written"]
    transaction.write(root)

    report = run(transaction, root).roots[0]

    assert [(one.path, one.line, one.add) for one in report.left_to_do] == [
        ("pyproject.toml", 1, 'httpx = ">=0.27"'),
        ("setup.cfg", 0, "asyncio_mode = auto"),
    ]
    made = {change.id for change in report.changes}
    assert {change for one in report.left_to_do for change in one.changes} == made


def test_keys_and_requirements_belong_to_the_project_whatever_is_selected(root):
    transaction = TRANSACTIONS["c-keys-of-settings"]
    transaction.write(root)
    report = run(transaction, root, paths=[root / "a.py", root / "b.py"])

    assert shown(report) == transaction.after
    assert report.roots[0].left_to_do == ()


@pytest.mark.parametrize(
    ("lock", "command"), [("uv.lock", "uv lock"), ("poetry.lock", "poetry lock")]
)
def test_a_lock_that_does_not_know_a_requirement_is_left_to_do(root, lock, command):
    transaction = TRANSACTIONS["c-shared-file-and-requirement"]
    transaction.write(root)
    (root / lock).write_text("")
    (first,) = run(transaction, root).roots[0].left_to_do
    assert (first.path, first.add, len(first.changes)) == (lock, "", 2)
    assert first.why == "it does not contain the new requirements of pyproject.toml"
    assert first.command == command

    manifest = MANIFEST.replace("fastapi", "httpx>=0.27")
    (root / "pyproject.toml").write_text(manifest)
    assert run(transaction, root).roots[0].left_to_do == ()


def test_what_is_left_to_do_is_remembered(root, tmp_path):
    transaction = TRANSACTIONS["c-settings-that-cannot-be-written"]
    transaction.write(root)
    settings = Settings(cache_dir=str(tmp_path / "cache"))
    options = api.Options(settings=settings, jobs=1)

    reports = [api.run([root], options, rules=[_Own()]).roots[0] for _ in range(2)]

    assert reports[0].left_to_do == reports[1].left_to_do != ()


class _Own(WithSetting):
    """Of a plug-in nothing is remembered."""

    __module__ = "awaken.tests"


def test_a_requirement_that_is_declared_already_changes_nothing(root):
    transaction = TRANSACTIONS["c-shared-file-and-requirement"]
    transaction.write(root)
    manifest = MANIFEST.replace("fastapi", "httpx>=0.27")
    (root / "pyproject.toml").write_text(manifest)
    assert "pyproject.toml" not in shown(run(transaction, root))


def test_leaving_out_the_required_change_leaves_out_its_dependants(root):
    transaction = TRANSACTIONS["c-the-required-change-is-guilty"]
    transaction.write(root)
    (root / "a.py").write_text("dependant(1)\nsingle(1)\n")
    whole = run(transaction, root)
    assert set(shown(whole)) == {"a.py", "b.py"}
    required = whole.roots[0].findings[0].site
    rest = run(transaction, root, excluded=frozenset({required}))
    assert shown(rest) == {"a.py": "dependant(1)\ndouble(1)\n"}


def test_a_file_edited_since_the_run_stops_the_whole_apply(root):
    transaction = TRANSACTIONS["a-over-three-files"]
    transaction.write(root)
    report = run(transaction, root)
    (root / "b.py").write_text("alpha(3)\n")
    edited = on_disk(root)
    with pytest.raises(Exception, match=r"b\.py"):
        api.apply(report)
    assert on_disk(root) == edited

"""Which changes are asked about, and what is left when some are refused."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from rules_for_tests import FirstStep, OneByOne, OverFiles, RenameCalls, SecondStep, WithHelper
from transaction_cases import MANIFEST, TRANSACTIONS, shown

from awaken import api
from awaken.codemods.fastapi.on_event_to_lifespan import OnEventToLifespan
from awaken.contract import Level, Phase
from awaken.engine.asking.answers import Answer, ask_about_all

YES, NO, QUIT, EDITED = Answer.YES, Answer.NO, Answer.QUIT, Answer.EDITED
REST_OF_FILE, NOT_THIS_FILE = Answer.REST_OF_FILE, Answer.NOT_THIS_FILE


class User:
    """Answers one question after the other, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.questions = []
        self.runs = 0

    def ask(self, question):
        self.questions.append(question)
        answer = self.answers.pop(0)
        return answer() if callable(answer) else answer

    def about(self, *roots, rules):
        def run_staged(excluded):
            self.runs += 1
            options = api.Options(jobs=1, use_cache=False, excluded_in=excluded)
            return api.run_staged(roots, options, rules=rules)

        asked = ask_about_all(run_staged, self.ask)
        assert not self.answers, "not all was asked"
        return asked

    @property
    def seen(self):
        """The text before of each question's place, with all its files."""
        return [
            (one.path, one.findings[0].place.span.start, [file.path for file in one.files])
            for one in self.questions
        ]

    @property
    def numbers(self):
        return [(one.number, one.total) for one in self.questions]


def write(root, **files):
    root.mkdir(exist_ok=True)
    (root / "pyproject.toml").write_text(MANIFEST)
    for name, text in files.items():
        (root / f"{name}.py").write_text(text)
    return root


THREE = {"a": "single(1)\nsingle(2)\n", "b": "single(3)\n"}


def test_yes_to_everything_is_the_run_without_questions(tmp_path):
    user = User(YES, YES, YES)

    asked = user.about(write(tmp_path, **THREE), rules=[OneByOne()])

    options = api.Options(jobs=1, use_cache=False)
    assert shown(asked.report) == shown(api.run([tmp_path], options, rules=[OneByOne()]))
    assert (user.runs, asked.declined) == (1, 0)
    assert user.seen == [("a.py", 0, ["a.py"]), ("a.py", 10, ["a.py"]), ("b.py", 0, ["b.py"])]
    assert user.numbers == [(1, 3), (2, 3), (3, 3)]


def test_no_leaves_a_change_and_nothing_is_asked_twice(tmp_path):
    user = User(YES, NO, YES)

    asked = user.about(write(tmp_path, **THREE), rules=[OneByOne()])

    assert shown(asked.report) == {"a.py": "double(1)\nsingle(2)\n", "b.py": "double(3)\n"}
    assert (len(user.questions), user.runs, asked.declined) == (3, 2, 1)


def test_what_is_declined_is_not_left_to_do_by_hand(tmp_path):
    text = (
        "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n"
        '@app.on_event("startup")\nasync def start():\n    print("up")\n\n\n'
        '@app.on_event("shutdown")\nasync def stop():\n    print("down")\n'
    )
    user = User(NO)

    asked = user.about(write(tmp_path, main=text), rules=[OnEventToLifespan()])

    (root,) = asked.report.roots
    assert asked.declined == 1
    assert not root.changes
    assert {one.level for one in root.findings} == {Level.SAFE}


def test_no_to_everything_leaves_nothing_to_write(tmp_path):
    asked = User(NO, NO, NO).about(write(tmp_path, **THREE), rules=[OneByOne()])

    assert shown(asked.report) == {}
    assert len(asked.report.roots[0].findings) == 3


def test_the_rest_of_a_file_is_agreed_to_with_one_answer(tmp_path):
    files = {"a": "single(1)\nsingle(2)\nsingle(3)\n", "b": "single(4)\n"}
    user = User(NO, REST_OF_FILE, NO)

    asked = user.about(write(tmp_path, **files), rules=[OneByOne()])

    assert shown(asked.report) == {"a.py": "single(1)\ndouble(2)\ndouble(3)\n"}
    assert [one.path for one in user.questions] == ["a.py", "a.py", "b.py"]


def test_what_also_touches_another_file_is_asked_about_all_the_same(tmp_path):
    files = {"a": "single(1)\nalpha(2)\n", "b": "alpha(3)\n"}
    user = User(REST_OF_FILE, NO)

    asked = user.about(write(tmp_path, **files), rules=[OneByOne(), OverFiles()])

    assert user.seen == [("a.py", 0, ["a.py"]), ("a.py", 10, ["a.py", "b.py"])]
    assert shown(asked.report) == {"a.py": "double(1)\nalpha(2)\n"}


def test_a_manifest_counts_as_another_file(tmp_path):
    files = {"a": "single(0)\nlegacy(1)\n", "b": "legacy(2)\n"}
    user = User(REST_OF_FILE, YES, YES)

    user.about(write(tmp_path, **files), rules=[OneByOne(), WithHelper()])

    assert user.seen[1] == ("a.py", 10, ["a.py", "helpers.py", "pyproject.toml"])
    assert user.seen[2] == ("b.py", 0, ["b.py"])


def test_a_file_can_be_left_as_it_is_with_one_answer(tmp_path):
    files = {"a": "single(1)\nsingle(2)\nalpha(2)\n", "b": "alpha(3)\nsingle(4)\n"}
    user = User(NOT_THIS_FILE, YES)

    asked = user.about(write(tmp_path, **files), rules=[OneByOne(), OverFiles()])

    assert shown(asked.report) == {"b.py": "alpha(3)\ndouble(4)\n"}
    assert asked.declined == 3


class OverFilesLater(OverFiles):
    name = "over-files-later"
    phase = Phase.LOADING


def test_a_file_left_as_it_is_stays_so_in_later_phases(tmp_path):
    user = User(NOT_THIS_FILE)

    asked = user.about(
        write(tmp_path, a="alpha(1)\n", b="alpha(2)\nsingle(3)\n"),
        rules=[OneByOne(), OverFilesLater()],
    )

    assert shown(asked.report) == {}


def test_quitting_makes_what_was_agreed_to(tmp_path):
    user = User(YES, QUIT)

    asked = user.about(write(tmp_path, **THREE), rules=[OneByOne()])

    assert shown(asked.report) == {"a.py": "double(1)\nsingle(2)\n"}
    assert asked.declined == 2


class LastIsBase(RenameCalls):
    """Every change requires the last one; left-out sites are no part of this."""

    name = "last-is-base"
    old, new = "dependant", "depended"
    base = -1

    def plan(self, project, constraints):
        plan = super().plan(project, constraints)
        if not plan.changes:
            return plan
        base = plan.changes[self.base].id
        changes = [
            change if change.id == base else replace(change, requires=(base,))
            for change in plan.changes
        ]
        return replace(plan, changes=tuple(changes))


class FirstIsBase(LastIsBase):
    """Every change requires the first one that is not left out."""

    name = "first-is-base"
    base = 0


CHAIN = {"a": "dependant(1)\n", "b": "dependant(2)\n", "c": "dependant(3)\n"}


def test_what_is_required_is_shown_and_agreed_to_as_well(tmp_path):
    user = User(YES, NO)

    asked = user.about(write(tmp_path, **CHAIN), rules=[LastIsBase()])

    assert user.seen == [("a.py", 0, ["a.py", "c.py"]), ("b.py", 0, ["b.py"])]
    assert user.numbers == [(1, 3), (3, 3)]
    assert shown(asked.report) == {"a.py": "depended(1)\n", "c.py": "depended(3)\n"}


def test_changes_that_require_each_other_are_one_answer_and_two_of_the_number(tmp_path):
    class Twins(OneByOne):
        def requires(self, change):
            twins = {self._change_id(0), self._change_id(1)}
            return tuple(twins - {change}) if change in twins else ()

    user = User(YES, YES)

    user.about(write(tmp_path, a="single(1)\nsingle(2)\nsingle(3)\n"), rules=[Twins()])

    assert user.numbers == [(1, 3), (3, 3)]


def test_what_the_rule_plans_anew_for_the_rest_is_asked_about(tmp_path):
    user = User(NO, NO, YES)

    asked = user.about(write(tmp_path, **CHAIN), rules=[FirstIsBase()])

    assert [one.path for one in user.questions] == ["a.py", "b.py", "c.py"]
    assert user.questions[1].change.requires == ()
    assert shown(asked.report) == {"c.py": "depended(3)\n"}
    assert user.runs == 3


def test_quitting_stops_what_would_be_planned_anew(tmp_path):
    asked = User(QUIT).about(write(tmp_path, **CHAIN), rules=[FirstIsBase()])

    assert shown(asked.report) == {}


def test_a_later_phase_is_asked_about_as_it_is_after_the_answers(tmp_path):
    files = {"a": "step_one(1)\n\n\ny = step_two(2)\n"}
    user = User(NO, YES)

    asked = user.about(write(tmp_path, **files), rules=[FirstStep(), SecondStep()])

    assert [one.change.rule for one in user.questions] == ["first-step", "second-step"]
    assert shown(asked.report) == {
        "a.py": "from steps import step_three\n\nstep_one(1)\n\n\ny = step_three(2)\n"
    }


def test_a_later_phase_is_shown_on_what_the_earlier_ones_made(tmp_path):
    files = {"a": "step_one(1)\n"}
    user = User(YES, YES)

    user.about(write(tmp_path, **files), rules=[FirstStep(), SecondStep()])

    first, second = (one.files[0] for one in user.questions)
    assert first.after.text == second.before.text
    assert user.questions[1].findings[0].place.span.start == 0  # on disk


def test_equal_sites_of_two_projects_are_two(tmp_path):
    roots = [write(tmp_path / name, a="single(1)\n") for name in ("one", "two")]
    user = User(NO, YES)

    asked = user.about(*roots, rules=[OneByOne()])

    left, made = asked.report.roots
    assert (left.files, [file.path for file in made.files]) == ((), ["a.py"])
    assert [one.root.root.name for one in user.questions] == ["one", "two"]


def test_after_an_edit_only_what_is_open_is_asked_about(tmp_path):
    def edit():
        (tmp_path / "a.py").write_text("# mine\nsingle(1)\nsingle(5)\nsingle(6)\n")
        return EDITED

    user = User(YES, edit, YES, NO, YES)

    asked = user.about(write(tmp_path, **THREE), rules=[OneByOne()])

    assert user.seen[1][:2] == ("a.py", 10)
    assert [seen[:2] for seen in user.seen[2:]] == [("a.py", 17), ("a.py", 27), ("b.py", 0)]
    assert user.numbers == [(1, 3), (2, 3), (2, 4), (3, 4), (4, 4)]
    assert shown(asked.report)["a.py"] == "# mine\ndouble(1)\ndouble(5)\nsingle(6)\n"


def test_what_is_raised_while_asking_is_left_alone(tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        User(YES, interrupt).about(write(tmp_path, **THREE), rules=[OneByOne()])


PROGRAMS = {
    **{name: (case.rule_instances(), case.before) for name, case in TRANSACTIONS.items()},
    "chain": ([FirstIsBase()], {f"{name}.py": text for name, text in CHAIN.items()}),
    "both": (
        [FirstStep(), SecondStep(), WithHelper()],
        {"a.py": "step_two(step_one(legacy(1)))\n", "b.py": "legacy(step_one(2))\n"},
    ),
}


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.parametrize("name", PROGRAMS)
@given(st.data())
@pytest.mark.sampled(4)
def test_what_is_written_is_the_sum_of_what_was_agreed_to(name, tmp_path, data):
    rules, files = PROGRAMS[name]
    (tmp_path / "pyproject.toml").write_text(MANIFEST)
    for path, text in files.items():
        (tmp_path / path).write_text(text)
    texts = {}

    def ask(question):
        answer = data.draw(st.sampled_from([YES, NO]))
        for file in question.files if answer is YES else ():
            if file.path in texts:
                assert file.before.text == texts[file.path]
            elif file.before is not None:
                assert file.before.text == (tmp_path / file.path).read_bytes()
            texts[file.path] = file.after.text
        return answer

    def run_staged(excluded):
        options = api.Options(jobs=1, use_cache=False, excluded_in=excluded)
        return api.run_staged([tmp_path], options, rules=rules)

    written = {
        file.path: file.after.text for file in ask_about_all(run_staged, ask).report.roots[0].files
    }

    assert written == texts

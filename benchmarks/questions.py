"""The yield of a rule's questions: what each costs, and how many verdicts it changes.

A question is a function of the rule's own package, or one of another package that it calls. Its
share is that of all parsed bytes, searches and value questions which happen while it runs, and of
the CPU (sampled, so not the same in every run). The questions above `WORTH` are then answered by
what they say most often (None, a boolean or nothing), one in each run: the sites with another level
or reason, and those with another message alone, are what the question changes. One that always
says the same changes nothing; one whose usual answer is a value is not left out (``-``).

`budget.py --yield` calls it; as a script it is one of these runs, in a process of its own:

    python -I benchmarks/questions.py FILE ASKED ARGUMENT ...
"""

# ruff: noqa: PLC0415  the parent needs nothing of awaken
from __future__ import annotations

import ast
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

WORTH = 0.05
WHOLE = 0.9
"""Functions with more than this lead to the others; they are printed, and not left out."""
KINDS = ("parsed_bytes", "searches", "questions", "cpu")
_EVERY = 0.004
_NEUTRAL = ("None", "False", "True", "()", "[]", "{}", "frozenset()", "set()", "''", "b''")

Site = tuple[str, ...]
Verdicts = dict[Site, tuple[Site, str]]


def print_yield(directory: Path, options: list[str], rule: str) -> None:
    """Print the questions of a rule on the program in `directory`."""
    whole, verdicts = _run(directory, options, {"rule": rule})
    totals = whole["totals"]
    shares = {
        name: [work.get(kind, 0) / max(totals.get(kind, 0), 1) for kind in KINDS]
        for name, work in whole["work"].items()
    }
    costly = {name: share for name, share in shares.items() if max(share) >= WORTH}
    left_out = [name for name, share in costly.items() if max(share) <= WHOLE]
    heard, _ = _run(directory, options, {"heard": left_out})
    print(f"{directory.name}: {rule}: {len(verdicts)} verdicts, {totals}")
    print("  bytes  search  quest.     CPU  verdicts+messages  question")
    for name, share in sorted(costly.items(), key=lambda one: -max(one[1])):
        answers = heard["answers"].get(name, {})
        neutral = {answer: count for answer, count in answers.items() if answer in _NEUTRAL}
        usual = max(neutral, key=neutral.__getitem__, default="")
        changed = "0+0" if usual else "-"
        if usual and len(answers) > 1:
            done, others = _run(directory, options, {"answered": {name: usual}}, may_fail=True)
            changed = "fails" if done is None else _changed(verdicts, others)
        cells = "  ".join(f"{100 * part:6.1f}" for part in share)
        said = f"  (usually {usual})" if usual else ""
        print(f"{cells}  {changed:>17}  {name}{said}", flush=True)


def _changed(verdicts: Verdicts, others: Verdicts) -> str:
    """Return how many sites have another verdict, and how many another message alone."""
    both = verdicts.keys() & others.keys()
    levels = sum(verdicts[site][0] != others[site][0] for site in both)
    messages = sum(verdicts[site] != others[site] for site in both) - levels
    return f"{levels + len(verdicts.keys() ^ others.keys())}+{messages}"


def _run(
    directory: Path, options: list[str], asked: dict[str, Any], *, may_fail: bool = False
) -> tuple[Any, Verdicts]:
    """Return what a run notes, and its verdicts."""
    with tempfile.TemporaryDirectory() as place:
        file = Path(place, "notes.json")
        done = subprocess.run(
            [
                *(sys.executable, "-I", __file__, str(file), json.dumps(asked)),
                *("check", "--no-cache", "--output-format", "json", *options, "."),
            ],
            cwd=directory,
            env={**os.environ, "AWAKEN_STATE_DIR": place},
            capture_output=True,
            check=False,
        )
        if not done.returncode:
            report = json.loads(done.stdout)
            if not report["diagnostics"] or not may_fail:
                return json.loads(file.read_text()), dict(map(_verdict, report["findings"]))
    if may_fail:
        return None, {}
    return sys.exit(f"{directory.name} was not run:\n{done.stderr.decode()}")


def _verdict(finding: dict[str, Any]) -> tuple[Site, tuple[Site, str]]:
    """Return a site, and what is said of it: level and reason, and the message."""
    site = tuple(str(finding[key]) for key in ("rule", "path", "line", "column"))
    return site, ((finding["level"], str(finding.get("reason"))), finding["message"])


class Notes:
    """The work of each function below the plan of a rule, in the package ``own``."""

    def __init__(self, own: str) -> None:
        self._own = own
        self.totals: Counter[str] = Counter()
        self.work: dict[str, Counter[str]] = defaultdict(Counter)

    def note(self, kind: str, amount: int, frame: FrameType | None) -> None:
        """Charge all questions that are being asked with some work."""
        self.totals[kind] += amount
        charged = set[str]()
        last = ""
        while frame is not None:
            module = frame.f_globals.get("__name__", "")
            if frame.f_code.co_name == "<module>":
                last = ""
            elif module.startswith(self._own):
                charged.add(f"{module}:{frame.f_code.co_qualname}")
                charged.add(last)
                last = ""
            elif module.startswith("awaken.") and module != "awaken.project.facade":
                last = f"{module}:{frame.f_code.co_qualname}"
            frame = frame.f_back
        for name in charged - {""}:
            self.work[name][kind] += amount


def _note_work(rule_name: str) -> Notes:
    """Return the notes of the work that is done from now on."""
    from awaken.engine.planning.rule_discovery import all_rules
    from awaken.workspace import work

    rule = next(one for one in all_rules() if one.name == rule_name)
    notes = Notes(".".join(type(rule).__module__.split(".")[:4]))

    class Noted(work.Work):
        __slots__ = ()

        def __setattr__(self, name: str, value: Any) -> None:
            if name in KINDS:
                notes.note(name, value - getattr(self, name), sys._getframe(1))  # noqa: SLF001
            super().__setattr__(name, value)

    work.WORK.__class__ = Noted
    signal.signal(signal.SIGPROF, lambda _, frame: notes.note("cpu", 1, frame))
    signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
    return notes


def _function(name: str) -> FunctionType | None:
    """Return the function of this name; None where it is inside another, or has a closure."""
    module, _, qualname = name.partition(":")
    __import__(module)
    found: Any = sys.modules[module]
    for part in qualname.split("."):
        # As it is written in its class: no descriptor is asked.
        found = vars(found).get(part) if hasattr(found, "__dict__") else None
        for inside in ("__func__", "fget", "func", "__wrapped__"):
            found = getattr(found, inside, found) if not isinstance(found, type) else found
    is_plain = isinstance(found, FunctionType) and not found.__code__.co_freevars
    return found if is_plain else None


def _interpose(function: FunctionType, called: Any) -> None:
    """Let every call of a function, under whatever name it is known, call something else."""

    def calling(*given: Any, **named: Any) -> Any:
        function: Any = "what is called"
        return function(*given, **named)

    code = calling.__code__
    constants = tuple(called if one == "what is called" else one for one in code.co_consts)
    function.__code__ = code.replace(co_consts=constants)
    function.__defaults__ = function.__kwdefaults__ = None


def _hear(names: list[str]) -> dict[str, Counter[str]]:
    """Return what these functions answer from now on: None, a boolean, nothing, or a value."""
    answers: dict[str, Counter[str]] = {}
    for name in names:
        function = _function(name)
        # Of a generator it is not known before it is asked.
        if function is None or function.__code__.co_flags & 0x20:
            continue
        original = FunctionType(
            function.__code__, function.__globals__, function.__name__, function.__defaults__
        )
        original.__kwdefaults__ = function.__kwdefaults__
        counted = answers[name] = Counter()

        def hearing(*given: Any, _original: Any = original, _counted: Any = counted, **named: Any):
            answer = _original(*given, **named)
            text = repr(answer) if answer is None or not answer or answer is True else "a value"
            _counted[text if text in _NEUTRAL else "a value"] += 1
            return answer

        _interpose(function, hearing)
    return answers


def main() -> None:
    """Run awaken once as it is asked, and write what was noted."""
    file, words, *arguments = sys.argv[1:]
    asked = json.loads(words)
    from awaken import cli
    from awaken.engine.machine import workers
    from awaken.engine.planning.rule_discovery import all_rules

    all_rules()
    workers.SECONDS_WORTH_A_POOL = math.inf
    noted: dict[str, Any] = {}
    if "rule" in asked:
        notes = _note_work(asked["rule"])
        noted = {"totals": notes.totals, "work": notes.work}
    if "heard" in asked:
        noted = {"answers": _hear(asked["heard"])}
    for name, usual in asked.get("answered", {}).items():
        function = _function(name)
        # `frozenset()` and `set()` are calls.
        answer = {"frozenset()": frozenset(), "set()": set()}.get(usual)
        answer = ast.literal_eval(usual) if answer is None else answer
        if function is not None:
            _interpose(function, lambda *_, _answer=answer, **__: _answer)
    cli.main(arguments)
    signal.setitimer(signal.ITIMER_PROF, 0, 0)
    Path(file).write_text(json.dumps(noted))


if __name__ == "__main__":
    main()

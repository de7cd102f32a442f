"""Breaks the text that one change writes, and asks ``awaken verify`` what it notices and names.

Run it once a program: ``mutants.py NAME ROOT [TESTS] --python PYTHON --number 25 --out FILE``.
Each line of FILE is one mutant; called again it goes on behind the last. ``--table`` prints FILE.
The plan is broken where verify asks for one, by ``awaken.api``: nothing in awaken knows of this.
A run of the same tests on the same bytes is not repeated from mutant to mutant, but counted.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import time
from collections import Counter
from pathlib import Path

from msgspec import structs

from awaken import api
from awaken.contract import UserError
from awaken.preview.verification import stops
from awaken.settings import Settings
from awaken.verifying import verify_changes as verifying
from awaken.verifying.blame import ChangedLines
from awaken.verifying.exercised import Functions
from awaken.verifying.suites import Suite

PLANNED = api.run
_PLANS = {}
ENDLESS = 2
"""Mutants of a program that never end: each costs minutes."""


def balanced(text, start):
    """Return the end of the bracket that opens at ``start``."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if not depth:
            return at + 1
    return None


def calls(text, name):
    """Yield the start, the opening bracket and the end of each call of a method ``name``."""
    for match in re.finditer(rf"\s*\.{name}\(", text):
        end = balanced(text, match.end() - 1)
        if end is not None:
            yield match.start(), match.end(), end


def without_call(name):
    return lambda text: [text[:start] + text[end:] for start, _, end in calls(text, name)]


def swapped(text):
    found = []
    for _, opened, end in calls(text, "order_by"):
        words = text[opened : end - 1].strip().rstrip(",")
        other = words[:-7] if words.endswith(".desc()") else f"({words}).desc()"
        if "," not in re.sub(r"\([^()]*\)", "", words):
            found.append(text[:opened] + other + text[end - 1 :])
    return found


def more_fields(text):
    found = []
    for match in re.finditer(r"\bselect\(", text):
        end = balanced(text, match.end() - 1)
        words = "" if end is None else text[match.end() : end - 1].strip().rstrip(",")
        first = words.split(",")[0].strip()
        if re.fullmatch(r"\w+\.\w+", first):
            found.append(text[: match.end()] + f"{words}, {first}.label('more')" + text[end - 1 :])
    return found


def replaced(old, new):
    return lambda text: [text.replace(old, new, 1)] if old in text else []


def endless(text):
    ever = "any(False for _ in iter(int, 1)) or "
    return (
        [re.sub(r"\bselect\(", lambda one: ever + one[0], text, count=1)]
        if "select(" in text
        else []
    )


DELETED = re.compile(r"(?m)^([ \t]*(?:await )?[\w.]+)\.delete\((\w+)\)\n(?:.*\.commit\(\)\n)?")
CLASSES = {
    "condition": lambda text: without_call("where")(text) + without_call("filter_by")(text),
    "limit": without_call("limit"),
    "unique": without_call("unique"),
    "order": swapped,
    "await": replaced("await ", ""),
    "refresh": lambda text: [
        f"{text[: one.end()]}{one[1]}.refresh({one[2]})\n{text[one.end() :]}"
        for one in DELETED.finditer(text)
    ],
    "fields": more_fields,
    "endless": endless,
}


def planned(paths, options, *rest, **more):
    """Plan as awaken does; the same plan is not made again from mutant to mutant."""
    key = repr(sorted((root, sorted(own)) for root, own in (options.excluded_in or {}).items()))
    if key not in _PLANS:
        _PLANS[key] = PLANNED(paths, options, *rest, **more)
    return _PLANS[key]


class Mutant:
    """A text in the lines of one change, and what becomes of it."""

    def __init__(self, kind, sites, path, old, new):
        self.kind, self.sites, self.path, self.old, self.new = kind, sites, path, old, new
        self.first, self.text = 0, b""

    def has(self, place):
        """Whether a file and a line are of the broken text."""
        path, line = place
        is_same = f"/{path}".endswith(f"/{self.path}")  # a project may be a part of its repository
        return is_same and self.first <= line < self.first + self.new.count("\n") + 1

    def function(self):
        """Return the file and the function that the broken text is in."""
        return self.path, Functions(self.text).names.get(self.first, "")

    def broken(self, paths, options, *rest, **more):
        """Plan as awaken does, and break the text of the change where it is there."""
        report = planned(paths, options, *rest, **more)
        return structs.replace(report, roots=tuple(self._in(root) for root in report.roots))

    def _in(self, root):
        own = {change.id for change in root.changes if self.sites & set(change.sites)}
        if not own:
            return root
        files = []
        for one in root.files:
            after, old = one.after, self.old.encode()
            if one.path == self.path and old in after.text:
                self.first = after.text[: after.text.index(old)].count(b"\n") + 1
                text = self.text = after.text.replace(old, self.new.encode(), 1)
                after = structs.replace(after, text=text)
            files.append(structs.replace(one, after=after))
        return structs.replace(root, files=tuple(files))


def blocks(root, change):
    """Yield the texts that one change alone wrote, whole lines, and their files."""
    lines = ChangedLines(root, "")
    for file in root.files:
        text = file.after.text.decode().splitlines(keepends=True)
        own = [
            n
            for n in range(1, len(text) + 1)
            if lines.by_line.get((file.path, n)) == {(root.root, change.id)}
        ]
        run = []
        for number in [*own, 0]:
            if run and number != run[-1] + 1:
                yield file.path, "".join(text[n - 1] for n in run)
                run = []
            run.append(number)


def mutants_of(report):
    found = []
    for root in report.roots:
        for change in root.changes:
            for path, text in blocks(root, change):
                whole = next(one.after.text.decode() for one in root.files if one.path == path)
                if whole.count(text) != 1 or text.startswith(("import ", "from ")):
                    continue
                for kind, break_it in CLASSES.items():
                    found += [
                        Mutant(kind, set(change.sites), path, text, new)
                        for new in break_it(text)
                        if new != text
                    ]
    return found


def chosen(mutants, number):
    """Return ``number`` mutants, the classes by turns, in an order that never changes."""
    random.Random(33).shuffle(mutants)
    by_kind = {kind: [one for one in mutants if one.kind == kind] for kind in CLASSES}
    by_kind["endless"] = by_kind["endless"][:ENDLESS]
    found = []
    while len(found) < number and any(by_kind.values()):
        for kind in CLASSES:
            if by_kind[kind] and len(found) < number:
                found.append(by_kind[kind].pop(0))
    return found


class Remembered:
    """Runs of the same tests on the same bytes, from mutant to mutant."""

    def __init__(self):
        self.runs, self.plain = {}, Suite.run

    def install(self):
        runs, plain = self.runs, self.plain

        def run(suite, only=(), *, watched=None):
            copy = suite._copy.path
            digest = hashlib.sha256(
                repr((sorted(only), watched, suite._command, sorted(suite.own.items()))).encode()
            )
            for path in sorted(copy.rglob("*.py")):
                digest.update(str(path.relative_to(copy)).encode() + path.read_bytes())
            key = digest.digest()
            # A place of requests is a new one each time, and so is what was answered there.
            if key not in runs or suite.own:
                runs[key] = plain(suite, only, watched=watched)
            suite.limit_by(runs[key])
            return runs[key]

        Suite.run = run


def places_named(result):
    """Return the places that verify names in a change that is whole: what failed, what is above."""
    said = re.search(r", at (\S+):(\d+) after the changes(?:, below line (\d+))?", stops(result))
    return [(said[1], int(line)) for line in said.groups()[1:] if line] if said else []


def places_of(one):
    """Return the functions that verify says nothing runs: all of a change that is not exercised."""
    for missed in one.missed:
        name, _, path = missed.removesuffix(")").rpartition(" (")
        yield path, name
    if not one.functions:
        yield from ((path, "") for path in one.change.paths)


def failures_of(result):
    return [one for left in result.left_out for one in left.tests] or list(result.unexplained)


def noticed_by(result):
    failures = failures_of(result)
    if not failures:
        return "none"
    asked = [one for one in failures if re.match(r"[A-Z]+ /", one.before.name)]
    if len(asked) == len(failures):
        return "requests"
    return "tests" if any(one.is_failure for one in failures) else "SQL"


def measured(mutant, options, command, requests):
    started = time.monotonic()
    api.run = mutant.broken
    try:
        result = verifying.verify([Path()], options, command)
        if requests and noticed_by(result) == "none":
            result = verifying.verify([Path()], options, command, requests=verifying.Requests())
    except UserError as error:
        return {"noticed": "error", "why": str(error)}
    finally:
        api.run = PLANNED
    left = [one.change for one in (*result.left_out, *filter(None, [result.whole]))]
    right = [one for one in left if mutant.sites & set(one.sites)]
    place = ""
    if result.whole is not None:
        places = places_named(result)
        shown = " ".join(f"{path}:{line}" for path, line in places)
        place = "right" if any(map(mutant.has, places)) else shown or "none"
    lines = result.after.imported.union(*(one.lines for one in result.after.tests.values()))
    where = {(path, name) for one in result.not_exercised for path, name in places_of(one)}
    return {
        "noticed": noticed_by(result),
        "named": "right" if right and len(left) == 1 else "among others" if right else "wrong",
        "place": place,
        "left_out": len(left),
        "runs": result.runs,
        "reached": any(map(mutant.has, lines)),
        "said": mutant.function() in where,
        "seconds": round(time.monotonic() - started, 1),
        "test": next((one.before.name for one in failures_of(result)), ""),
    }


def table(rows):
    by = {}
    for row in rows:
        by.setdefault(row["kind"], []).append(row)
    titles = ["class", "mutants", "tests", "SQL", "requests", "none, as said", "none"]
    print("| " + " | ".join([*titles, "named right", "runs"]) + " |")
    print("|---" * 9 + "|")
    for kind, some in [*by.items(), ("all", rows)]:
        seen = Counter(one["noticed"] for one in some)
        # Before functions were counted, a change without any line that ran was said.
        silent = [one for one in some if one["noticed"] == "none"]
        unreached = sum(one.get("said", not one.get("reached")) for one in silent)
        noticed = [one for one in some if one["noticed"] in ("tests", "SQL", "requests")]
        right = sum(one["named"] == "right" for one in noticed)
        runs = sorted(one["runs"] for one in noticed)
        median = f"{runs[len(runs) // 2]} (most {runs[-1]})" if runs else ""
        cells = [kind, len(some), seen["tests"], seen["SQL"], seen["requests"], unreached]
        cells += [seen["none"] - unreached, f"{right} of {len(noticed)}", median]
        print("| " + " | ".join(map(str, cells)) + " |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("root", type=Path)
    parser.add_argument("--python", default="python")
    parser.add_argument("--number", type=int, default=25)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--requests", action="store_true")
    parser.add_argument("--select", default="query-to-select")
    parser.add_argument("--kinds", nargs="+", choices=[*CLASSES], default=[*CLASSES])
    parser.add_argument("--table", action="store_true")
    parser.add_argument("tests", nargs="*")
    line = parser.parse_args()
    done = []
    if line.out.exists():
        done = [json.loads(row) for row in line.out.read_text().splitlines()]
    if line.table:
        table(done)
        return
    own = sum(row["program"] == line.name for row in done)
    os.chdir(line.root)
    settings = Settings(select=(line.select,), unsafe=(line.select,))
    options = api.Options(settings=settings, use_cache=False)
    command = [line.python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *line.tests]
    every = mutants_of(planned([Path()], options))
    mutants = chosen([one for one in every if one.kind in line.kinds], line.number)
    print(line.name, len(mutants), Counter(one.kind for one in mutants), flush=True)
    Remembered().install()
    for mutant in mutants[own:]:
        row = {"program": line.name, "kind": mutant.kind, "path": mutant.path, "new": mutant.new}
        row |= measured(mutant, options, command, line.requests)
        with line.out.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print({k: v for k, v in row.items() if k not in ("new", "program")}, flush=True)


if __name__ == "__main__":
    main()

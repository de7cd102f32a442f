"""Checks awaken's output forms with programs that are not ours; README.md says how to run it.

Prints one row per program and form; ends with 1 if any check fails.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import odd_names

HERE = Path(__file__).parent
SCHEMA = HERE.parents[1] / "docs" / "schemas" / "report-1.schema.json"
FORMS = ("json", "json-lines", "sarif", "github", "markdown", "patch")
LIMIT = 65_536
COMMAND = re.compile(rb"::(error|warning|notice) (.*?)::(.*)", re.DOTALL)
NAMES = {"line": "startLine", "col": "startColumn"}


class Subject(NamedTuple):
    """A directory to run awaken in, with its options; ``reports`` is where its output is."""

    name: str
    directory: Path
    options: list[str]
    reports: Path

    def file(self, form: str) -> Path:
        """Where the output of ``form`` is."""
        return self.reports / f"{self.name}.{form}"


class Tools(NamedTuple):
    """Where the programs are: see README.md."""

    directory: Path
    sarif_schema: Path

    def python(self, name: str) -> str:
        """A program of the Python environment."""
        return str(self.directory / "venv" / "bin" / name)


def run(*words: str | Path, given: bytes = b"", cwd: Path | None = None) -> tuple[int, bytes]:
    """Run a program; return its exit code and what it printed."""
    done = subprocess.run(
        [str(word) for word in words],
        input=given,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout


def make_reports(subject: Subject, awaken: Path) -> None:
    """Write each form of ``awaken check`` on the subject."""
    for form in FORMS:
        words = ["check", "-q", "--output-format", form, "-o", str(subject.file(form))]
        code, printed = run(awaken, *words, *subject.options, cwd=subject.directory)
        if code not in {0, 1, 2} or not subject.file(form).exists():
            sys.exit(f"{subject.name} {form}: {printed.decode()}")


def sarif_validator(subject: Subject, tools: Tools) -> str:
    """Microsoft's validator: the schema and its own rules, GitHub's among them."""
    package = tools.directory / "node_modules" / "@microsoft" / "sarif-multitool-linux"
    program = package / "Sarif.Multitool"
    _, printed = run(program, "validate", "--rule-kind", "Sarif;Ghas", subject.file("sarif"))
    said = printed.decode().splitlines()
    for line in said:
        if ": error " in line or ": fail" in line:
            raise AssertionError(line)
    warnings = sorted(re.findall(r": (?:warning|note) (\w+)", printed.decode()))
    # It says nothing at all about a log that it cannot read, for instance with a wrong level.
    # This warning is always due, for awaken has no home page, and shows that it read ours.
    if "SARIF2005" not in warnings:
        raise AssertionError(f"not read: {printed.decode()}")
    return f"no error, warnings: {', '.join(sorted(set(warnings))) or 'none'}"


def sarif_schema(subject: Subject, tools: Tools) -> str:
    """The schema of OASIS, read by another program; and what a schema does not see."""
    _valid(tools, tools.sarif_schema, subject.file("sarif"))
    (one,) = json.loads(subject.file("sarif").read_bytes())["runs"]
    results = one["results"]
    prints = {result["partialFingerprints"]["awaken/v1"] for result in results}
    if len(prints) != len(results):
        raise AssertionError(f"{len(results) - len(prints)} fingerprints occur twice")
    fixes = sum("fixes" in result for result in results)
    held = sum(bool(result.get("suppressions")) for result in results)
    return f"valid: {len(results)} results, {fixes} with fixes, {held} suppressed"


def sarif_reader(subject: Subject, tools: Tools) -> str:
    """sarif-tools reads it, and counts the same results."""
    code, printed = run(tools.python("sarif"), "summary", subject.file("sarif"))
    if code:
        raise AssertionError(printed.decode())
    numbers = re.findall(r"^(error|warning|note): (\d+)", printed.decode(), re.MULTILINE)
    return ", ".join(f"{number} {level}" for level, number in numbers)


def sarif_fixes(subject: Subject, _: Tools) -> str:
    """Each fix, made by its regions alone, compiles; a file's only one is what git makes."""
    (one,) = json.loads(subject.file("sarif").read_bytes())["runs"]
    top = Path(odd_names.path_of(one["originalUriBaseIds"]["%SRCROOT%"]["uri"]))
    made: dict[str, list[str]] = {}
    safe: set[str] = set()
    for result in one["results"]:
        for fix in result.get("fixes", []):
            for change in fix["artifactChanges"]:
                name = odd_names.path_of(change["artifactLocation"]["uri"])
                text = _fixed(top / name, change["replacements"])
                compile(text, name, "exec")
                made.setdefault(name, []).append(text)
                if result["properties"]["applicability"] == "safe":
                    safe.add(name)
    same = 0
    with patched(subject) as tree:
        for name in (name for name in safe if len(made[name]) == 1):
            if made[name][0] != _text(tree / name):
                raise AssertionError(f"{name}: another text than that of git apply")
            same += 1
    total = sum(map(len, made.values()))
    return f"{total} compile; {same} files with one fix are what git apply makes"


@contextmanager
def patched(subject: Subject) -> Iterator[Path]:
    """Give a copy of the subject to which git has applied the patch."""
    with tempfile.TemporaryDirectory() as directory:
        tree = Path(directory, "git")
        shutil.copytree(subject.directory, tree, ignore=shutil.ignore_patterns(".git"))
        run("git", "init", "-q", cwd=tree)
        patch = subject.file("patch").read_bytes()
        for words in (["git", "apply", "--check"], ["git", "apply"]) if patch else ():
            code, printed = run(*words, "-", given=patch, cwd=tree)
            if code:
                raise AssertionError(printed.decode())
        yield tree


def _fixed(path: Path, replacements: list[dict[str, object]]) -> str:
    text = _text(path)
    starts = [0, *(match.end() for match in re.finditer("\r\n|\r|\n", text))]
    for replacement in reversed(replacements):
        region = replacement["deletedRegion"]
        start = starts[region["startLine"] - 1] + region["startColumn"] - 1
        end = starts[region["endLine"] - 1] + region["endColumn"] - 1
        new = replacement.get("insertedContent", {"text": ""})["text"]
        text = text[:start] + new + text[end:]
    return text


def _text(path: Path) -> str:
    raw = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    return raw.decode("latin-1" if b"coding: latin-1" in raw[:40] else "utf-8")


def json_schema(subject: Subject, tools: Tools) -> str:
    """The document, and each line of the lines, against the schema in the documentation."""
    _valid(tools, SCHEMA, subject.file("json"))
    lines = subject.file("json-lines").read_bytes().splitlines()
    with tempfile.TemporaryDirectory() as directory:
        files = [Path(directory, f"{number}.json") for number in range(len(lines))]
        for file, line in zip(files, lines, strict=True):
            file.write_bytes(line)
        _valid(tools, SCHEMA, *files)
    kinds = [json.loads(line)["kind"] for line in lines]
    if (kinds[0], kinds[-1]) != ("run", "summary"):
        raise AssertionError(kinds)
    return f"valid: 1 document, {len(lines)} lines"


def _valid(tools: Tools, schema: Path, *files: Path) -> None:
    for start in range(0, len(files), 500):
        chunk = files[start : start + 500]
        code, printed = run(tools.python("check-jsonschema"), "--schemafile", schema, *chunk)
        if code:
            raise AssertionError(printed.decode()[:2000])


def github_commands(subject: Subject, tools: Tools) -> str:
    """Byte for byte what @actions/core prints for the same properties."""
    ours = subject.file("github").read_bytes()
    asked = b"".join(json.dumps(properties).encode() + b"\n" for properties in _parsed(ours))
    code, theirs = run("node", HERE / "commands.mjs", tools.directory, given=asked)
    if code or ours != theirs:
        pairs = zip(ours.splitlines(), theirs.splitlines(), strict=False)
        raise AssertionError(next((pair for pair in pairs if pair[0] != pair[1]), theirs[:500]))
    kinds = [line.split(b" ")[0].strip(b":").decode() for line in ours.splitlines()]
    counted = ", ".join(f"{kinds.count(kind)} {kind}" for kind in sorted(set(kinds)))
    return f"{len(kinds)} lines the same: {counted or 'none'}"


def _parsed(commands: bytes) -> Iterator[dict[str, object]]:
    for line in commands.splitlines():
        match = COMMAND.fullmatch(line)
        if match is None:
            raise AssertionError(line)
        kind, properties, message = (part.decode() for part in match.groups())
        found: dict[str, object] = {"kind": kind, "message": _plain(message)}
        for word in properties.split(","):
            name, _, value = word.partition("=")
            plain = _plain(value)
            found[NAMES.get(name, name)] = int(plain) if name in _NUMBERS else plain
        yield found


_NUMBERS = {"line", "endLine", "col", "endColumn"}


def _plain(text: str) -> str:
    for code, char in (("%0A", "\n"), ("%0D", "\r"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def markdown_tasks(subject: Subject, tools: Tools) -> str:
    """All tasks are tasks to two readers of Markdown; nothing becomes a link or a tag."""
    text = subject.file("markdown").read_text(encoding="utf-8")
    if len(text.encode()) >= LIMIT:
        raise AssertionError(f"{len(text.encode())} bytes")
    written = len(re.findall(r"^- \[ \] ", text, re.MULTILINE))
    code, printed = run("node", HERE / "tasks.mjs", tools.directory, given=text.encode())
    marked = json.loads(printed)
    checker = [tools.python("python"), HERE / "tasks.py"]
    second = json.loads(run(*checker, given=text.encode())[1])
    if code or (marked["tasks"], second["tasks"]) != (written, written):
        raise AssertionError((written, marked, second))
    if marked["links"] or marked["tags"] or second["links"]:
        raise AssertionError((marked, second))
    return f"{written} tasks, {marked['headings']} headings, {len(text.encode()):,} bytes"


def patches(subject: Subject, _: Tools) -> str:
    """Git and GNU patch take it, and both make the same files of it."""
    patch = subject.file("patch").read_bytes()
    if not patch:
        return "empty"
    with patched(subject) as tree, tempfile.TemporaryDirectory() as directory:
        other = Path(directory, "patch")
        shutil.copytree(subject.directory, other, ignore=shutil.ignore_patterns(".git"))
        code, printed = run("patch", "-p1", "--binary", "-s", given=patch, cwd=other)
        if code or printed:
            raise AssertionError(printed.decode())
        code, printed = run("diff", "-r", "--exclude", ".git", tree, other)
        if code:
            raise AssertionError(printed.decode("utf-8", "replace")[:500])
    return f"{patch.count(b'diff --git ')} files: git apply and GNU patch agree"


CHECKS: dict[str, Callable[[Subject, Tools], str]] = {
    "sarif, multitool": sarif_validator,
    "sarif, OASIS schema": sarif_schema,
    "sarif, sarif-tools": sarif_reader,
    "sarif, fixes": sarif_fixes,
    "json": json_schema,
    "github, @actions/core": github_commands,
    "markdown, marked and markdown-it": markdown_tasks,
    "patch": patches,
}


def main() -> int:
    """Run every check on every subject."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--awaken", default="awaken", help="the program to check")
    parser.add_argument("--tools", type=Path, required=True, help="see README.md")
    parser.add_argument("--sarif-schema", type=Path, required=True, help="see README.md")
    parser.add_argument("programs", nargs="*", help="DIRECTORY or DIRECTORY:SQLALCHEMY_VERSION")
    asked = parser.parse_args()
    tools = Tools(asked.tools.absolute(), asked.sarif_schema.absolute())
    awaken = Path(shutil.which(asked.awaken) or asked.awaken).absolute()
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        odd = Path(work, "odd names")
        odd_names.main(odd)
        subjects = [Subject("odd names", odd, [], Path(work))]
        for word in asked.programs:
            name, _, version = word.partition(":")
            path = Path(name).absolute()
            target = ["--target-version", "py311", "--target", f"sqlalchemy={version}"]
            subjects.append(Subject(path.name, path, target if version else [], Path(work)))
        for subject in subjects:
            make_reports(subject, awaken)
            for name, check in CHECKS.items():
                try:
                    said = check(subject, tools)
                except (AssertionError, SyntaxError) as error:
                    failed, said = failed + 1, f"FAILED: {error}"
                print(f"{subject.name} | {name} | {said}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

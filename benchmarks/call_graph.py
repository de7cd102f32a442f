"""The call graph of programs: what calls of their own names reach, and what it costs to tell.

    uv run python benchmarks/call_graph.py PROGRAM [PROGRAM ...]
    uv run python benchmarks/call_graph.py --edges SEED COUNT PROGRAM [PROGRAM ...]
    uv run python benchmarks/call_graph.py --law [SHARE] PROGRAM [PROGRAM ...]

Counts the calls whose last name is that of a function or class of the program: resolved to one
function, to several, to a class that is made, to a library, or unknown, with the ten most frequent
reasons and an example of each. Costs are user CPU seconds for 100,000 lines, the memory at its
peak, and how much more is held after one and after 1,000 questions. With ``--edges``, prints calls
drawn by the seed among those that reach the program, with both source lines, to be read. With
``--law``, asks `callers_of` as well, of one in SHARE functions (of all, without a number): an
answer that says complete must hold every call that the graph knows. Names those that do not, and
ends with 1 if there are any. `cases` and `attacks` are the fixtures and the programs of `attacks/`.
"""

from __future__ import annotations

import ast
import random
import re
import resource
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from attacks import programs as attack_programs

from awaken.project import Project, Snapshot
from awaken.project.graph.forwards.call_graph import Call, CallGraph, FunctionPlace
from awaken.testing import load_cases
from awaken.workspace.discovery import Root, find_files
from awaken.workspace.file_reading import FileReader
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode, is_python

REASONS = 10
QUESTIONS = 1000
_CLASSES = re.compile(rb"^\s*class\s+(\w+)", re.MULTILINE)


def opened(root: Path) -> Project:
    """Return the program in `root`."""
    files = FileReader(root, find_files(Root(root)).files).sources()
    return Project(Snapshot(files), read_targets(root, None, {}, {}))


def line_at(project: Project, path: str, offset: int) -> str:
    """Return the number and the text of the line at a byte of a file."""
    text = project.snapshot[path].text
    start = text.rfind(b"\n", 0, offset) + 1
    end = text.find(b"\n", offset)
    line = text[start : end if end >= 0 else len(text)].decode(errors="replace").strip()
    number = text.count(b"\n", 0, start) + 1
    return f"{path}:{number}: {line}"


def own_names(project: Project, graph: CallGraph) -> set[str]:
    """Return the last names of the functions and classes of the program."""
    texts = (project.snapshot[path].text for path in project.snapshot if is_python(path))
    classes = {name.decode() for text in texts for name in _CLASSES.findall(text)}
    return classes | {one.qualname.rpartition(".")[2] for one in graph.functions()}


def peak() -> int:
    """Return the most memory that was used, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def asked(graph: CallGraph, count: int) -> int:
    """Ask for the callers of `count` functions, and what reaches them; return the peak in MB."""
    functions = list(graph.functions())
    for function in random.Random(count).choices(functions, k=count):
        graph.callers(function)
        graph.callees(function)
    graph.reaching(functions[:1])
    return peak()


def show(root: Path) -> None:
    """Print the counts and costs of one program."""
    project = opened(root)
    python = [path for path in project.snapshot if is_python(path)]
    lines = sum(project.snapshot[path].text.count(b"\n") for path in python)
    before = time.process_time()
    graph = project.calls.graph()
    seconds = time.process_time() - before
    memory = [peak(), asked(graph, 1), asked(graph, QUESTIONS)]
    names = own_names(project, graph)
    calls = [one for one in graph.calls() if one.name in names]
    kinds = Counter(one.kind for one in calls)
    shares = ", ".join(f"{kind} {count / len(calls):.1%}" for kind, count in kinds.most_common())
    print(f"## {root.name}: {len(calls)} calls of names of the program: {shares}")
    print(
        f"{lines} lines, {seconds:.1f} s, {seconds / lines * 1e5:.2f} s for 100,000 lines;"
        f" peak {memory[0]} MB, after one question {memory[1]}, after {QUESTIONS} {memory[2]}"
    )
    examples: dict[str, list[Call]] = {}
    for one in calls:
        if one.kind == "unknown":
            examples.setdefault(re.sub(r"`[^`]*`", "`…`", one.why), []).append(one)
    for reason, found in sorted(examples.items(), key=lambda item: -len(item[1]))[:REASONS]:
        place = found[len(found) // 2].place
        print(f"- {len(found)}: {reason}, as in {line_at(project, place.path, place.span.start)}")
    print(flush=True)


def draw(root: Path, seed: int, count: int) -> None:
    """Print calls of one program with the lines of what they reach."""
    project = opened(root)
    graph = project.calls.graph()
    reaching = [one for one in graph.calls() if one.functions and one.kind != "unknown"]
    print(f"## {root.name}")
    for number, call in enumerate(random.Random(seed).sample(reaching, count), 1):
        place = call.place
        print(f"{number}. {call.kind}: {line_at(project, place.path, place.span.start)}")
        shown = random.Random(seed).sample(call.functions, min(2, len(call.functions)))
        for one in shown:
            print(f"   -> {one.qualname}, {line_at(project, one.path, one.start)}")
        if len(call.functions) > len(shown):
            print(f"   and {len(call.functions) - len(shown)} more")


def unpublished(files: Mapping[str, bytes]) -> Project:
    """Return a program from which nobody imports: else hardly an answer is complete."""
    sources = {path: decode(path, text) for path, text in files.items() if is_python(path)}
    return Project(Snapshot(sources), None, settings=ProjectSettings(published=False))


def asked_by_law(argument: str) -> Iterator[tuple[str, Project]]:
    """Yield the programs that an argument of `--law` names."""
    if argument == "cases":
        for case in load_cases(Path(__file__).parents[1] / "fixtures"):
            yield case.identifier, unpublished(case.before)
    elif argument == "attacks":
        for program in attack_programs([]):
            files = {path: text.encode() for path, text in program.files.items()}
            yield program.name, unpublished(files)
    else:
        snapshot = opened(Path(argument).resolve()).snapshot
        yield Path(argument).name, unpublished({path: snapshot[path].text for path in snapshot})


def lost_calls(project: Project, share: int) -> Iterator[tuple[FunctionPlace, list[Call]]]:
    """Yield functions whose callers are complete, with the calls of the graph that they lack."""
    graph = project.calls.graph()
    for place in [one for one in graph.functions() if one.start >= 0][::share]:
        module = project.module(place.path)
        for function in module.walk() if module is not None else ():
            if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if module is None or module.span(function).start != place.start:
                continue
            callers = project.calls.callers_of(module, function)
            sites = {site.place for site in callers.sites}
            if callers.complete:
                yield place, [one for one in graph.callers(place) if one.place not in sites]


def hold_law(arguments: list[str]) -> int:
    """Print how many complete answers lack calls; return 1 if any does."""
    share = int(arguments.pop(0)) if arguments[0].isdigit() else 1
    broken = 0
    for argument in arguments:
        complete = lacking = 0
        for name, project in asked_by_law(argument):
            for place, lost in lost_calls(project, share):
                complete += 1
                lacking += bool(lost)
                for call in lost:
                    line = line_at(project, call.place.path, call.place.span.start)
                    print(f"{name}: {place.path} {place.qualname} lacks {line}")
        print(f"{argument}: {lacking} of {complete} complete answers lack calls", flush=True)
        broken += lacking
    return int(broken > 0)


def main() -> None:
    """Print all programs named on the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--edges"]:
        seed, count = int(arguments[1]), int(arguments[2])
        for argument in arguments[3:]:
            draw(Path(argument).resolve(), seed, count)
        return
    if arguments[:1] == ["--law"]:
        sys.exit(hold_law(arguments[1:]))
    for argument in arguments:
        show(Path(argument).resolve())


if __name__ == "__main__":
    main()

"""The call graph of programs: what calls of their own names reach, and what it costs to tell.

    uv run python benchmarks/call_graph.py PROGRAM [PROGRAM ...]
    uv run python benchmarks/call_graph.py --edges SEED COUNT PROGRAM [PROGRAM ...]

Counts the calls whose last name is that of a function or class of the program: resolved to one
function, to several, to a class that is made, to a library, or unknown, with the ten most frequent
reasons and an example of each. Costs are user CPU seconds for 100,000 lines, the memory at its
peak, and how much more is held after one and after 1,000 questions. With ``--edges``, prints calls
drawn by the seed among those that reach the program, with both source lines, to be read.
"""

from __future__ import annotations

import random
import re
import resource
import sys
import time
from collections import Counter
from pathlib import Path

from awaken.project import Project, Snapshot
from awaken.project.graph.forwards.call_graph import Call, CallGraph
from awaken.workspace.discovery import Root, find_files
from awaken.workspace.file_reading import FileReader
from awaken.workspace.manifests.targets import read_targets
from awaken.workspace.sources import is_python

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


def main() -> None:
    """Print all programs named on the command line."""
    arguments = sys.argv[1:]
    if arguments[:1] == ["--edges"]:
        seed, count = int(arguments[1]), int(arguments[2])
        for argument in arguments[3:]:
            draw(Path(argument).resolve(), seed, count)
        return
    for argument in arguments:
        show(Path(argument).resolve())


if __name__ == "__main__":
    main()

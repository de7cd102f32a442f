"""The figures of ground.md, section 6: what the source repeats, and where the call graphs differ.

    uv run python benchmarks/one_ground/figures.py source [PACKAGE DIRECTORY]
    PYTHONPATH=CHECKOUT python benchmarks/one_ground/figures.py sites [RULE] [--show]
    PYTHONPATH=CHECKOUT python benchmarks/one_ground/figures.py cases RULE
    PYTHONPATH=CHECKOUT python benchmarks/one_ground/figures.py walk RULE CASE

``source`` counts with ``ast`` what is in the source of any checkout. ``sites`` asks for the
callers of each function of the fixtures, and counts the call sites that only one of ``callers_of``
and the call graph knows; ``--show`` names them. ``cases`` says which modules of a rule, and which
lines of its functions, no case runs. ``walk`` runs one case and counts how many pairs of files call
each other, and how many of them climb: a function calls one of a file that imports its own,
directly or over other files. Climbs ``into methods`` are those that neither go on with a generator
nor call a function inside of another one. Climbs ``by name`` call a public method whose name
is in the calling file: that file knows what it asks for. The others are functions that were
passed to it, as to a worklist or a table of answers. All four run with the awaken of any commit.
"""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from inspect import CO_GENERATOR
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).parents[1]))

from attacks import programs as attack_programs
from house import imports_of, parts_in_circles

import awaken
from awaken.project import Project, Snapshot
from awaken.testing import load_cases, run_case
from awaken.workspace.project_settings import ProjectSettings
from awaken.workspace.sources import decode, is_python

LIMIT = re.compile(r"_?(MOST|DEEPEST|LONGEST|DEPTH|STEPS)(_[A-Z_]+)?")
ROOMS = (
    "codemods/sqlalchemy/session_to_async",
    "codemods/sqlalchemy/query_to_select",
    "project/frameworks",
    "project/frameworks/sqlalchemy",
    "project/values",
)
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def imports(package: Path) -> dict[str, set[str]]:
    """Return the modules that each module of a package imports."""
    files = {
        ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(
            ".__init__"
        ): path
        for path in sorted(package.rglob("*.py"))
    }
    return {
        name: set(imports_of(path, ast.parse(path.read_bytes()), set(files), package)) - {name}
        for name, path in files.items()
    }


def memo_tables(tree: ast.Module) -> int:
    """Return how many dictionaries are empty after ``__init__``, and functions that are cached."""
    count = 0
    for node in ast.walk(tree):
        if not isinstance(node, FUNCTIONS):
            continue
        names = {ast.unparse(one).partition("(")[0] for one in node.decorator_list}
        count += bool(names & {"cache", "lru_cache", "functools.cache", "functools.lru_cache"})
        for line in node.body if node.name == "__init__" else ():
            value = getattr(line, "value", None)
            target = line.targets[0] if isinstance(line, ast.Assign) else line
            target = target.target if isinstance(line, ast.AnnAssign) else target
            empty = isinstance(value, ast.Dict) and not value.keys
            made = isinstance(value, ast.Call) and ast.unparse(value.func).endswith("dict")
            count += isinstance(target, ast.Attribute) and (empty or made)
    return count


def loops_over_waiting(tree: ast.Module) -> int:
    """Return how many ``while`` loops take an item out of what their condition looks at."""
    count = 0
    for loop in ast.walk(tree):
        if not isinstance(loop, ast.While):
            continue
        names = {ast.unparse(node) for node in ast.walk(loop.test)}
        calls = [node for line in loop.body for node in ast.walk(line)]
        taken = [node.func for node in calls if isinstance(node, ast.Call)]
        count += any(
            isinstance(func, ast.Attribute)
            and func.attr in {"pop", "popleft"}
            and ast.unparse(func.value) in names
            for func in taken
        )
    return count


def source(package: Path) -> None:
    """Print the figures of the source in one package directory."""
    graph = imports(package)
    for room in ROOMS:
        dotted = f"awaken.{room.replace('/', '.')}"
        print(f"| parts in circles: {room} | {parts_in_circles(graph, dotted)} |")
    trees = {path: ast.parse(path.read_bytes()) for path in sorted(package.rglob("*.py"))}
    tables: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    limits: Counter[str] = Counter()
    handles = cached = loops = 0
    for path, tree in trees.items():
        floor = path.relative_to(package).parts[0]
        tables[floor] += memo_tables(tree)
        loops += loops_over_waiting(tree) if floor in {"project", "kit", "codemods"} else 0
        cached += len(re.findall(r"@cached_(?:method|by)\b", ast.unparse(tree)))
        names = {one.attr for one in ast.walk(tree) if isinstance(one, ast.Attribute)}
        texts = {one.value for one in ast.walk(tree) if isinstance(one, ast.Constant)}
        modules.update(names & {"IfExp", "JoinedStr"})
        modules.update({"append"} & {one for one in texts if isinstance(one, str)})
        if "project/source" not in path.as_posix():
            calls = [one for one in ast.walk(tree) if isinstance(one, ast.Call)]
            handles += sum(getattr(one.func, "attr", "") == "calls_at" for one in calls)
        for line in tree.body:
            is_limit = isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant)
            if is_limit and isinstance(line.value.value, int):
                limits[floor] += bool(LIMIT.fullmatch(ast.unparse(line.targets[0])))
    plan = package / ROOMS[0] / "plan.py"
    lengths = [
        node.end_lineno - node.lineno + 1
        for node in ast.walk(trees[plan])
        if isinstance(node, FUNCTIONS) and node.name == "plan"
    ]
    print(f"| memo tables in project, in all | {tables['project']}, {tables.total()} |")
    print(f"| `calls_at` outside source | {handles} |")
    for name in ("IfExp", "JoinedStr", "append"):
        print(f"| modules that handle {name} | {modules[name]} |")
    print(f"| limits in project, in all | {limits['project']}, {limits.total()} |")
    print(f"| lines of `SessionToAsync.plan` | {max(lengths)} |")
    print(f"| answers of cached methods | {cached} |")
    print(f"| loops over what waits, in project, kit and codemods | {loops} |")
    sizes = {path: len(path.read_text("utf-8").splitlines()) for path in trees}
    rooms: dict[str, list[int]] = defaultdict(list)
    for path, size in sizes.items():
        parts = path.relative_to(package).parts[:-1]
        rooms["/".join(parts[: 1 + (parts[:1] in {("codemods",), ("project",)})])].append(size)
    for room, of_modules in sorted(rooms.items()):
        print(f"| modules, lines of {room or 'awaken'} | {len(of_modules)}, {sum(of_modules)} |")
    print(f"| modules, lines | {len(trees)}, {sum(sizes.values())} |")


def programs(rule: str) -> Iterator[tuple[str, Project]]:
    """Yield the program of each case, of one rule or of all, and each of the attacks."""
    attacked = [] if rule else list(attack_programs([]))
    texts = {
        one.name: {path: text.encode() for path, text in one.files.items()} for one in attacked
    }
    for case in load_cases(Path.cwd() / "fixtures"):
        if rule in ("", case.rule):
            texts[case.identifier] = case.before
    for name, files in texts.items():
        sources = {path: decode(path, text) for path, text in files.items() if is_python(path)}
        settings = ProjectSettings(published=False)
        yield name, Project(Snapshot(sources), None, settings=settings)


def sites(rule: str, *, show: bool) -> None:
    """Print how many call sites only one of the two call graphs knows."""
    both = complete = lacking = 0
    only: Counter[str] = Counter()
    for name, project in programs(rule):
        graph = project.calls.graph()
        for place in graph.functions():
            module = project.module(place.path)
            for node in module.walk() if module is not None and place.start >= 0 else ():
                if not isinstance(node, FUNCTIONS) or module.span(node).start != place.start:
                    continue
                callers = project.calls.callers_of(module, node)
                asked = {site.place for site in callers.sites}
                known = {call.place: call.kind for call in graph.callers(place)}
                both += len(asked & set(known))
                complete += callers.complete
                lacking += callers.complete and bool(set(known) - asked)
                for at in sorted(asked ^ set(known), key=lambda one: (one.path, one.span)):
                    kind = "`callers_of`" if at in asked else f"the graph, {known[at]}"
                    kind += ", complete" if at not in asked and callers.complete else ""
                    only[kind] += 1
                    if show:
                        text = project.snapshot[at.path].text[at.span.start : at.span.end]
                        shown = text.decode()[:70].replace("\n", " ")
                        print(f"{name}: {place.path}:{place.qualname}: {kind}: {at.path}: {shown}")
                        for obstacle in callers.obstacles if show and at not in asked else ():
                            print(f"    {obstacle.kind}: {obstacle.why}")
    print(f"| call sites that both know | {both} |")
    for kind, count in sorted(only.items()):
        print(f"| call sites only of {kind} | {count} |")
    print(f"| complete answers, of which lack callers | {complete}, {lacking} |")


def run_cases(rule: str, wanted: str = "") -> None:
    """Run the cases of a rule in this process; one only where ``wanted`` is its last name."""
    for case in load_cases(Path.cwd() / "fixtures"):
        if case.rule == rule and case.identifier.endswith(wanted):
            run_case(case)


def package_of() -> Path:
    """Return the package directory of the awaken that is imported."""
    return Path(awaken.__file__).parent


def cases(rule: str) -> None:
    """Print which modules and lines of a rule no case runs."""
    room = next(package_of().rglob(rule.replace("-", "_")))
    run: set[tuple[str, int]] = set()

    def line(frame: FrameType, *_: object) -> object:
        if not frame.f_code.co_filename.startswith(str(room)):
            return None
        run.add((frame.f_code.co_filename, frame.f_lineno))
        return line

    sys.settrace(line)
    run_cases(rule)
    sys.settrace(None)
    statements = missed = 0
    without = []
    for path in sorted(room.rglob("*.py")):
        lines = {
            statement.lineno
            for node in ast.walk(ast.parse(path.read_bytes()))
            if isinstance(node, FUNCTIONS)
            for each in node.body
            for statement in ast.walk(each)
            if isinstance(statement, ast.stmt) and not isinstance(statement, FUNCTIONS)
            if not (isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant))
        }
        ran = {number for name, number in run if name == str(path)}
        statements, missed = statements + len(lines), missed + len(lines - ran)
        if lines and not lines & ran:
            without.append(path.relative_to(room).as_posix())
    share = f"{missed} of {statements}, {missed / statements:.1%}"
    print(f"| lines of functions of {rule} that no case runs | {share} |")
    print(f"| modules of {rule} without a case | {len(without)}: {', '.join(without)} |")


@cache
def methods_in(filename: str) -> set[str]:
    """Return the public attributes that stand in a file."""
    nodes = ast.walk(ast.parse(Path(filename).read_bytes()))
    names = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return {name for name in names if not name.startswith("_")}


def walk(rule: str, case: str) -> None:
    """Print the way of one case through the files of awaken."""
    package = package_of()
    graph = imports(package)
    above: dict[str, set[str]] = {}

    def reached(name: str) -> set[str]:
        """Return what a module imports, directly or not."""
        if name not in above:
            above[name], waiting = set(), [name]
            while waiting:
                new = graph[waiting.pop()] - above[name]
                above[name] |= new
                waiting += new
        return above[name]

    def module(filename: str) -> str:
        if not filename.startswith(f"{package}/"):
            return ""
        parts = Path(filename).relative_to(package.parent).with_suffix("").parts
        return ".".join(parts).removesuffix(".__init__")

    pairs: set[tuple[str, str]] = set()
    plain: set[tuple[str, str]] = set()
    named: set[tuple[str, str, str]] = set()

    def call(frame: FrameType, event: str, _: object) -> None:
        if event != "call" or frame.f_code.co_name == "<module>" or frame.f_back is None:
            return
        entered, came = frame.f_code.co_filename, frame.f_back.f_code.co_filename
        if entered != came:
            pairs.add((came, entered))
            is_passed = frame.f_code.co_flags & CO_GENERATOR or "<" in frame.f_code.co_qualname
            plain.update([] if is_passed else [(came, entered)])
            named.add((came, entered, frame.f_code.co_name))

    run_cases(rule, case)  # imports what a run needs
    sys.setprofile(call)
    run_cases(rule, case)
    sys.setprofile(None)
    edges = {edge for came, entered in pairs if all(edge := (module(came), module(entered)))}
    called = {(module(came), module(entered)) for came, entered in plain}
    by_name = {
        (module(came), module(entered))
        for came, entered, name in named
        if came.startswith(f"{package}/") and name in methods_in(came)
    }
    inside = f".{rule.replace('-', '_')}."
    own = {edge for edge in edges if any(inside in one for one in edge)}
    for label, some in (("all of awaken", edges), (f"to and from {rule}", own)):
        climbs = sorted(edge for edge in some if edge[0] in reached(edge[1]))
        files = {one for edge in some for one in edge}
        methods = [edge for edge in climbs if edge in called]
        known = [edge for edge in climbs if edge in by_name]
        print(f"| walk of {case}, {label}: files, pairs, climbs, into methods, by name |", end="")
        print(f" {len(files)}, {len(some)}, {len(climbs)}, {len(methods)}, {len(known)} |")
        print(*(f"    {came} -> {entered}" for came, entered in known), sep="\n")


def main() -> None:
    """Print the figures that the command line asks for."""
    match [one for one in sys.argv[1:] if one != "--show"]:
        case ["source", *package]:
            source(Path(package[0] if package else "awaken").resolve())
        case ["sites", *rule]:
            sites(rule[0] if rule else "", show="--show" in sys.argv)
        case ["cases", rule]:
            cases(rule)
        case ["walk", rule, case]:
            walk(rule, case)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main()

from __future__ import annotations

import ast
import symtable
import sys
import sysconfig
from collections import Counter
from pathlib import Path
from textwrap import dedent

import pytest
from programs import last, module_of, program

from awaken.project import Module
from awaken.project.source.bindings import Scope
from awaken.workspace.sources import decode

COMPILERS_OWN = {".0", ".defaults", "__classdict__", "__conditional_annotations__"}
COMPILERS_OWN |= {"__class__", ".type_params", "__type_params__"}
COMPREHENSIONS = {"listcomp", "setcomp", "dictcomp", "genexpr"}
STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])
AWKWARD = """
import a.b, c.d as e
from f import g as h
x = [y for y in x if (z := y)]
class Shop(base, key=word):
    price: int = 1
    tax: float
    __private = 2
    names = [price for _ in names]
    items = {k: v for k, v in zip(price, __private)}
    global made_global
    made_global = 1
    def method(self, __p, *args, other=price, **kwargs) -> price:
        global counter
        counter += 1
        __local = __class__
        del self.x
        def inner():
            nonlocal __local
            __local = price
            return other, args, __p
        return lambda q=other: (q, inner, super())
    async def later(self):
        async with a as b, c as (d, *e):
            pass
        async for f in g:
            yield [await h async for h in g]
def function(p, /, q, *, r=1):
    try:
        import inside.module
        from inside import thing as other
    except (ValueError, p) as error:
        del error
    else:
        for q.attr, q[0], (w, [v]) in r:
            pass
    match p:
        case {"k": captured, **rest} | [captured, *rest]:
            pass
        case Point(x=px) as whole:
            pass
        case _:
            pass
    with p as (m, n):
        m += 1
    annotated: int
    (bracketed): int
    (assigned): int = 1
    return [(i, j, last := k) for i in q for j in i for k in (lambda: j)()]
""" + (
    "type Alias[T: bound] = list[T]\nclass G[T](base[T]):\n    a: T\n"
    "    def f[U](self, x: U) -> T: "
    "return T\n"
    if sys.version_info >= (3, 12)
    else ""
)
FILES = ["typing", "dataclasses", "enum", "inspect", "ast", "contextlib", "functools", "traceback"]
FILES += ["argparse", "asyncio/base_events", "asyncio/tasks", "collections/__init__", "tarfile"]
FILES += ["unittest/mock", "logging/__init__", "ctypes/__init__", "pickle", "pydoc", "shutil"]
FILES += ["random", "subprocess", "weakref", "concurrent/futures/process", "symtable"]


def scopes(text: str) -> Module:
    source = decode("m.py", dedent(text).encode())
    return Module(source, ast.parse(source.text.decode()), "m")


def kind_of(module: Module, name: str, scope: Scope) -> str:
    owner = module.scopes.owner(name, scope)
    if owner is scope:
        return "local"
    return "global" if owner is None or owner is module.scopes.module else "free"


def by_us(module: Module) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    for scope in module.scopes.scopes:
        if scope.kind in {"module", "type-params"}:
            continue
        names = {*scope.bindings, *scope.reads, *scope.globals, *scope.nonlocals}
        kinds = {(name, kind_of(module, name, scope)) for name in names}
        found[getattr(scope.node, "lineno", 0), frozenset(kinds)] += 1
    return found


def by_python(text: str) -> Counter[tuple[object, ...]]:
    found: Counter[tuple[object, ...]] = Counter()
    stack = symtable.symtable(text, "m.py", "exec").get_children()
    while stack:
        table = stack.pop()
        stack += table.get_children()
        if str(table.get_type()).removeprefix("SymbolTableType.").lower() not in {
            "class",
            "function",
        }:
            continue
        kinds = set()
        for symbol in table.get_symbols():
            touched = symbol.is_referenced() or symbol.is_assigned() or symbol.is_parameter()
            touched = touched or symbol.is_imported() or symbol.is_annotated()
            touched = touched or symbol.is_declared_global() or symbol.is_nonlocal()
            if not touched or symbol.get_name() in COMPILERS_OWN:
                continue  # only passed on to a scope inside, or the compiler's own
            if (
                table.get_name() in COMPREHENSIONS
                and not symbol.is_local()
                and symbol.is_assigned()
            ):
                continue  # a walrus: the name belongs to the scope around
            kind = "local" if symbol.is_local() else "free" if symbol.is_free() else "global"
            kinds.add((symbol.get_name(), kind))
        found[table.get_lineno(), frozenset(kinds)] += 1
    return found


def lines_of_inlining(module: Module) -> set[int]:
    """Since PEP 709 the tables mix a comprehension's names with those of the scope around it."""
    return {
        getattr(part.node, "lineno", 0)
        for scope in module.scopes.scopes
        if scope.kind == "comprehension"
        for part in scope.chain()
    }


def without_class(counts: Counter[tuple[object, ...]]) -> Counter[tuple[object, ...]]:
    """``super()`` and ``__class__`` make the compiler add a name that no program binds."""
    clean: Counter[tuple[object, ...]] = Counter()
    for (line, kinds), count in counts.items():
        clean[line, frozenset(one for one in kinds if one[0] != "__class__")] += count
    return clean


@pytest.mark.parametrize("name", ["awkward", *FILES])
@pytest.mark.sampled(4)
def test_every_scope_is_what_python_itself_makes_of_it(name):
    text = AWKWARD
    if name != "awkward":
        text = (STANDARD_LIBRARY / f"{name}.py").read_text("utf-8")
        # Postponed annotations have tables of their own, which say nothing about the scope.
        text = text.replace("from __future__ import annotations", "")
    module = scopes(text)
    ours, theirs = without_class(by_us(module)), without_class(by_python(text))
    if sys.version_info >= (3, 12):
        inlined = lines_of_inlining(module)
        ours, theirs = (
            {key: n for key, n in one.items() if key[0] not in inlined} for one in (ours, theirs)
        )

    assert len(theirs) > 3
    assert ours == theirs


def bound_at(text: str, name: str) -> list[tuple[str, str]]:
    """Return kind and scope of what the last ``name`` of ``text`` may refer to."""
    module = scopes(text)
    bindings = module.scopes.bindings_of(last(module, name))
    return [(one.kind, type(one.scope.node).__name__) for one in bindings]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import s\ndef f(s): s", [("parameter", "FunctionDef")]),
        ("import s\ndef f(*s): s", [("parameter", "FunctionDef")]),
        ("import s\ndef f():\n  s\n  s = 1\n  s", [("assignment", "FunctionDef")]),
        ("import s\ndef f():\n  for s in x: s", [("for", "FunctionDef")]),
        ("import s\ndef f():\n  with x as s: s", [("with", "FunctionDef")]),
        ("import s\ndef f():\n  try: pass\n  except E as s: s", [("except", "FunctionDef")]),
        ("import s\ndef f():\n  if (s := 1): s", [("walrus", "FunctionDef")]),
        ("import s\ndef f():\n  [0 for _ in x if (s := 1)]\n  s", [("walrus", "FunctionDef")]),
        ("import s\ndef f():\n  [s for s in x]\n  s", [("import", "FileTree")]),
        ("import s\n[s for s in x]", [("for", "ListComp")]),
        ("import s\n[s for _ in x]", [("import", "FileTree")]),
        (
            "import s\ndef f():\n  global s\n  s = 1\ns",
            [("import", "FileTree"), ("assignment", "FunctionDef")],
        ),
        (
            "def f():\n  s = 1\n  def g():\n    nonlocal s\n    s = 2\n  s",
            [("assignment", "FunctionDef"), ("assignment", "FunctionDef")],
        ),
        ("import s\nclass C:\n  s = 1\n  def f(self): s", [("import", "FileTree")]),
        ("import s\nclass C:\n  s = 1\n  s", [("assignment", "ClassDef")]),
        ("import s\nclass C:\n  s = s", [("import", "FileTree")]),
        (
            "import s\nclass C:\n  if x:\n    s = 1\n  s",
            [("assignment", "ClassDef"), ("import", "FileTree")],
        ),
        ("import s\nclass C:\n  s = 1\n  x = [s for _ in y]", [("import", "FileTree")]),
        ("import s\nclass C:\n  s = 1\n  x = [y for y in s]", [("assignment", "ClassDef")]),
        ("import s\ndef f():\n  match x:\n    case {'k': s}: s", [("match", "FunctionDef")]),
        ("import s\ndef f():\n  import s.t\n  s", [("import", "FunctionDef")]),
        ("import s\ndef f():\n  class s: pass\n  s", [("class", "FunctionDef")]),
        ("import s\nlambda s: s", [("parameter", "Lambda")]),
        ("import s\nlambda x=s: x\ns", [("import", "FileTree")]),
        ("import s\ndef f():\n  del s\n  s", [("delete", "FunctionDef")]),
        ("import s\ndef f(x=s): s = 1\ns", [("import", "FileTree")]),
        ("from t import *\ns", []),
    ],
)
def test_a_name_refers_to_what_python_would_look_up(text, found):
    assert bound_at(text, "s") == found


def value_of(text: str, name: str = "s") -> list[str | None]:
    module = scopes(text)
    found = module.scopes.bindings_of(last(module, name))
    return [None if one.value is None else ast.unparse(one.value) for one in found]


def test_a_binding_knows_the_value_it_receives_where_that_can_be_read_off():
    assert value_of("s = a\ns") == ["a"]
    assert value_of("r = s = a\ns") == ["a"]
    assert value_of("r, s = a, b\ns") == ["b"]
    assert value_of("[r, (t, s)] = a, (b, c)\ns") == ["c"]
    assert value_of("r, s = a\ns") == [None]
    assert value_of("*r, s = a, b\ns") == [None]
    assert value_of("with a as s: s") == ["a"]
    assert value_of("with a as (r, s): s") == [None]
    assert value_of("for s in a: s") == ["a"]
    assert value_of("for r, s in a: s") == [None]
    assert value_of("def f(s=a): s") == ["a"]
    assert value_of("s: int = a\ns") == ["a"]
    assert value_of("(s := a)\ns") == ["a"]


def test_a_global_name_that_no_statement_binds_is_unbound():
    module = scopes("s = 0\ndef f(s):\n  def g():\n    global s, t\n    s, t\n")
    inside = last(module, "t")

    assert module.scopes.owner("s", module.scopes.scope_of(inside)) is module.scopes.module
    assert module.scopes.owner("t", module.scopes.scope_of(inside)) is None


def test_names_that_a_scope_takes_from_outside():
    module = scopes("""
        import used, unused
        def f(p):
            local = used + p
            def g():
                return local, other
            return [item for item in len(p)]
    """)
    function = module.tree.body[1]

    assert module.scopes.free_reads(function) == {"used", "other", "len"}


def test_what_is_bound_and_what_is_shadowed_at_a_place():
    module = scopes("import a\ndef f(b):\n  c\n")
    table, inside = module.scopes, last(module, "c")

    assert table.is_bound("a", inside)
    assert table.is_bound("b", inside)
    assert not table.is_bound("c", inside)
    assert table.is_shadowed("b", inside)
    assert not table.is_shadowed("a", inside)
    assert not table.is_bound("b", module.tree.body[0])


def test_a_fresh_name_is_used_nowhere_in_the_file():
    module = scopes("def f(select_2):\n  select = [statement for statement in x]\n")

    assert module.scopes.fresh_name("select") == "select_3"
    assert module.scopes.fresh_name("statement") == "statement_2"
    assert module.scopes.fresh_name("list") == "list_2"
    assert module.scopes.fresh_name("match") == "match_2"
    assert module.scopes.fresh_name("unique") == "unique"
    assert module.scopes.fresh_name("select", "statement", "unique") == "unique"
    assert module.scopes.fresh_name("unique", "select", taken={"unique"}) == "select_3"
    assert module.scopes.fresh_name("select", taken={"select_3"}) == "select_4"


def test_names_that_only_strings_mention():
    module = scopes("""
        from typing import Literal, cast
        __all__ = ["exported"]
        def f(a: "Quoted[Inner]", b: Literal["not_a_name"]) -> "Back | None":
            "a docstring with words"
            c: "list['Deep']" = cast("Cast", a)
            return "plain words"
    """)

    assert module.scopes.names_in_strings() == {
        "exported",
        "Quoted",
        "Inner",
        "Back",
        "list",
        "Deep",
        "Cast",
    }


def test_only_nodes_that_open_a_scope_make_one():
    module = scopes("x = [y for y in z]\n")

    assert module.scopes.scope_made_by(last(module, "[y for y in z]")).kind == "comprehension"
    with pytest.raises(KeyError):
        module.scopes.scope_made_by(last(module, "z"))


def test_deep_trees_are_walked_without_recursion():
    value = "x" + ".a" * 150
    module = scopes(f"{value} = {'(' * 80}1{')' * 80}\n")

    assert module.scopes.module.reads.keys() == {"x"}


@pytest.mark.parametrize(
    ("body", "is_parameter"),
    [
        ("return p", True),
        ("return lambda: p", True),
        ("p = 1\n    return p", False),
        ("return [0 for p in ()] or p", True),
        ("return print", False),
    ],
)
def test_a_name_is_a_parameter_if_nothing_else_binds_it(body, is_parameter):
    source = decode("m.py", f"def f(p):\n    {body}\n".encode())
    module = Module(source, ast.parse(source.text.decode()), "m")
    *_, name = (node for node in module.walk() if isinstance(node, ast.Name))
    assert (module.scopes.parameter_of(name) is not None) is is_parameter


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user.name", ("user", "name")),
        ("a.b.name", ("a.b", "name")),
        ("getattr(user, 'name', None)", ("user", "name")),
        ("hasattr(user, 'name')", None),
        ("getattr(user, NAME)", None),
        ("user.name = 1", None),
        ("def getattr(*_): ...\ngetattr(user, 'name')", None),
    ],
)
def test_what_reads_an_attribute(text, expected):
    module = module_of(program({"m.py": f"{text}\n"}), "m.py")
    last = module.tree.body[-1]
    node = last.value if isinstance(last, ast.Expr) else last.targets[0]
    owner, name = module.scopes.attribute_read(node)
    assert (owner and (ast.unparse(owner), name)) == expected

from __future__ import annotations

import ast
import gc
import sys
import sysconfig
import weakref
from itertools import permutations
from pathlib import Path

import pytest
from programs import last, module_of, program

from awaken.contract import Span
from awaken.project import Module, site_id
from awaken.project.source.lines.site_ids import among_equals
from awaken.project.source.modules import same_node
from awaken.project.source.programs import module_store
from awaken.project.source.trees import SHARED, children, fingerprint, walk
from awaken.project.values.domain import FunctionOf, InstanceOf, union
from awaken.workspace.sources import SourceFile, decode

STANDARD_LIBRARY = Path(sysconfig.get_paths()["stdlib"])


def module(text: str | bytes, path: str = "m.py") -> Module:
    raw = text.encode() if isinstance(text, str) else text
    source = decode(path, raw)
    return Module(source, ast.parse(source.text.decode()), "m")


@pytest.mark.parametrize(
    "text",
    [
        "x = 1\nvalue = call(a)\n",
        "x = 1\r\nvalue = call(a)\r\n",
        "x = 1\rvalue = call(a)\r",
        "x = 'é€😀'; value = call(a)\n",
        "'\u2028\x0b\x1c'\nvalue = call(a)\n",
        "\x0cx = 1\n\x0cvalue = call(a)\n",
        "if x:\n\tvalue = call(a)\n",
        "'''a\r\nb'''; value = call(a)\n",
        "x = \\\n  1\nvalue = call(a)",
    ],
    ids=["lf", "crlf", "cr", "wide", "unicode-lines", "form-feed", "tab", "multi-line", "no-end"],
)
def test_the_span_of_a_node_is_its_bytes(text):
    found = module(text)

    assert found.text_of(last(found, "call(a)")) == "call(a)"


def test_spans_count_the_bytes_after_a_byte_order_mark_and_of_the_recoded_text():
    source = decode("m.py", "\ufeffx = 'é'; y = call(a)\n".encode())
    latin = decode("m.py", "# coding: latin-1\nx = 'é'; y = call(a)\n".encode("latin-1"))

    for one in (source, latin):
        found = Module(one, ast.parse(one.text.decode()), "m")
        span = found.span(last(found, "call(a)"))

        assert one.text[span.start : span.end] == b"call(a)"


def test_nodes_without_a_position_take_what_their_children_take():
    found = module("with open(a) as b: pass\ndef f(x, *, y=1): pass\n")
    item = next(node for node in found.walk() if isinstance(node, ast.withitem))
    arguments = next(node for node in found.walk() if isinstance(node, ast.arguments))

    assert found.text_of(item) == "open(a) as b"
    assert found.text_of(arguments) == "x, *, y=1"
    assert found.span(found.tree) == Span(0, len(found.source.text))


def test_a_node_that_stands_nowhere_has_no_span():
    found = module("def f(): return a + b\n")
    nowhere = [node for node in found.walk() if isinstance(node, ast.arguments | ast.Add)]

    for node in nowhere:
        with pytest.raises(ValueError, match="has no position"):
            found.span(node)


def test_columns_are_counted_in_characters_from_one():
    found = module("x = 1\n'é'; call(a)\n")

    assert found.line_column(found.span(last(found, "call(a)"))) == (2, 6)
    assert found.line_column(Span(0, 0)) == (1, 1)


NESTED = """
def outer(p=default):
    class Shop:
        @decorate(mark)
        def open(self, q: note = value) -> back:
            return [inside for inside in first if condition]
        price = body
    return lambda a=late: result
"""


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("default", "<module>"),
        ("mark", "outer.Shop"),
        ("note", "outer.Shop"),
        ("value", "outer.Shop"),
        ("back", "outer.Shop"),
        ("inside", "outer.Shop.open"),
        ("first", "outer.Shop.open"),
        ("condition", "outer.Shop.open"),
        ("body", "outer.Shop"),
        ("late", "outer"),
        ("result", "outer"),
    ],
)
def test_the_scope_name_is_that_of_the_definitions_around(text, scope):
    found = module(NESTED)

    assert found.scope_name(last(found, text)) == scope


COROUTINES = """\
@before
async def outer(given=default):
    here
    [listed for x in y]
    (generated for x in first)
    [lazily for x in (deeper for z in y)]

    class Shop:
        body

        def method(self):
            (lambda: called)

    def inner():
        later
"""


@pytest.mark.parametrize(
    ("text", "is_run"),
    [
        ("before", False),
        ("default", False),
        ("here", True),
        ("listed", True),
        ("generated", False),
        ("first", True),
        ("lazily", True),
        ("deeper", False),
        ("body", True),
        ("called", False),
        ("later", False),
    ],
)
def test_the_enclosing_coroutine_is_the_one_that_runs_the_node(text, is_run):
    found = module(COROUTINES)
    outer = found.tree.body[0] if is_run else None

    assert found.enclosing_coroutine(last(found, text)) is outer


@pytest.mark.parametrize(
    ("body", "is_one"),
    [("yield 1", True), ("x = yield from y", True), ("lambda: (yield)", False), ("return", False)],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_a_generator_is_a_function_that_yields_itself(kind, body, is_one):
    found = module(f"{kind} f():\n    {body}\n")
    assert found.is_generator(found.tree.body[0]) == is_one


def test_the_enclosing_function_is_the_one_that_evaluates_the_node():
    found = module(NESTED)

    def function(text):
        node = found.enclosing_function(last(found, text))
        return getattr(node, "name", type(node).__name__)

    assert function("default") == "NoneType"
    assert function("value") == "outer"
    assert function("inside") == "open"
    assert function("late") == "outer"
    assert function("result") == "Lambda"
    assert found.enclosing_class(last(found, "inside")).name == "Shop"
    assert found.enclosing_class(last(found, "result")) is None


@pytest.mark.parametrize(
    ("text", "called", "taking"),
    [
        ("x()", "x()", None),
        ("f(x)", None, "f(x)"),
        ("f(1, a=x)", None, "f(1, a=x)"),
        ("f(**x)", None, "f(**x)"),
        ("f(*x)", None, None),
        ("f([x])", None, None),
        ("x.y()", None, None),
        ("class A(b=x): pass", None, None),
        ("x = 1", None, None),
    ],
)
def test_a_module_knows_the_call_of_an_expression_and_the_call_that_takes_it(text, called, taking):
    parsed = module(text)
    name = next(node for node in parsed.walk() if isinstance(node, ast.Name) and node.id == "x")
    calls = parsed.call_of(name), parsed.call_taking(name)
    assert [None if call is None else ast.unparse(call) for call in calls] == [called, taking]


def test_ancestors_lead_to_the_module_and_shared_operators_have_none():
    found = module("f(a + b)\n")
    names = [type(node).__name__ for node in found.ancestors(last(found, "a"))]

    assert names == ["BinOp", "Call", "Expr", "FileTree"]
    assert found.parent(last(found, "a + b").op) is None
    assert found.statement_of(last(found, "a")) is found.tree.body[0]


def test_a_node_inside_an_f_string_is_known_as_such():
    found = module("f'{a!r:{b}}' + c\n")
    inside = {
        node.id: found.in_fstring(node) for node in found.walk() if isinstance(node, ast.Name)
    }

    assert inside == {"a": True, "b": True, "c": False}


def test_a_string_annotation_is_an_expression_in_its_own_scope():
    found = module("class A:\n  class B: pass\n  x: 'list[B]'\n")
    constant = last(found, "'list[B]'")
    parsed = found.parse_string(constant)

    assert ast.unparse(parsed) == "list[B]"
    assert found.parse_string(constant) is parsed
    assert found.scope_name(parsed.slice) == "A"
    assert found.text_of(parsed.slice) == "'list[B]'"
    assert found.parse_string(ast.Constant("not a type")) is None


ORDER = """
f(a, b=c, *d, **e)
class C(k=1, *m): pass
def g(a1, b1=2, /, c1=3, *d1, e1, h1=4, **i1) -> z: pass
{k1: v1, **v2, k3: v3}
x if y else z2
@deco
async def h(): pass
match s:
    case {'p': q, 'r': t, **rest}: pass
"""


def test_walking_follows_the_source():
    found = module(ORDER)
    starts = [
        found.span(node).start for node in found.walk() if isinstance(node, ast.Name | ast.arg)
    ]

    assert starts == sorted(starts)


def test_walking_meets_every_node_once():
    for path in sorted(STANDARD_LIBRARY.glob("*.py"))[:40]:
        tree = ast.parse(path.read_bytes())
        ours = list(walk(tree))
        theirs = [node for node in ast.walk(tree) if type(node) not in SHARED]

        assert len(ours) == len(theirs)
        assert {id(node) for node in ours} == {id(node) for node in theirs}


def test_walks_do_not_recurse():
    deep = ast.Name("x", ast.Load())
    for _ in range(20_000):
        deep = ast.Attribute(deep, "a", ast.Load())

    assert sum(1 for _ in walk(deep)) == 20_001
    assert len(fingerprint(deep)) == 32


def test_the_fingerprint_is_of_the_syntax_alone():
    def mark(text):
        return fingerprint(ast.parse(text))

    assert mark("f( a,\n b)") == mark("f(a, b)")
    different = ["f(a, b)", "f(a, *b)", "f(a, b=b)", "f(a)(b)", "f(a).b", "x[1:]", "x[:1]", "f(1)"]
    different += ["f(True)", "f('1')", "f(1.0)", "{**a}", "{a: a}", "global a", "global b"]

    assert len({mark(text) for text in different}) == len(different)


def sites(text: str, path: str = "m.py") -> list[str]:
    found = module(text, path)
    calls = [node for node in found.walk() if isinstance(node, ast.Call)]
    return [site_id("rule", found, node) for node in calls]


def test_a_site_keeps_its_identity_when_its_neighbours_change():
    before = sites("def f():\n  s.query(A)\ndef g():\n  s.query(A)\n  s.query(A)\n")
    after = sites(
        "import x\ndef f():\n\n  s.query( A )\ndef g():\n  h(1)\n  s.query(A)\n  s.query(A)\n"
    )

    assert len(set(before)) == 3
    assert [one for one in after if one in before] == before


def test_equal_statements_are_told_apart_by_how_many_stand_before():
    texts = ["s.add(a)", "x = s.add(a)", "return s.add(a)", "assert s.a", "if s.a: pass"]
    texts += ["with s.a(): pass", "await s.a()", "await s", "return"]
    found = module("async def f():\n" + "".join(f"  {one}\n" for one in [*texts, *texts]))
    body = found.tree.body[0].body
    ids = [site_id("rule", found, one) for one in body]

    assert len(set(ids)) == len(body)
    assert [among_equals(found, one)[2] for one in body] == [0] * len(texts) + [1] * len(texts)


def test_a_site_is_another_one_under_another_rule_path_scope_or_syntax():
    found = module("s.query(A)\n")
    call = last(found, "s.query(A)")
    ids = [site_id("rule", found, call), site_id("other", found, call)]
    ids += sites("s.query(A)\n", "n.py") + sites("s.query(B)\n") + sites("def f(): s.query(A)\n")

    assert len(set(ids)) == len(ids)


def test_children_of_a_call_keep_keywords_before_a_later_star():
    call = ast.parse("f(a, k=b, *c)").body[0].value

    assert [ast.unparse(node) for node in children(call)] == ["f", "a", "k=b", "*c"]


@pytest.mark.slow
def test_only_the_last_modules_are_kept_but_any_can_be_asked_for_again(monkeypatch):
    monkeypatch.setattr(module_store, "KEPT_SOURCE_BYTES", 2_500_000)
    filler = "x = 1  # " + "y" * 1000 + "\n"
    project = program({f"m{index}.py": filler * 600 for index in range(5)})
    modules = [module_of(project, f"m{index}.py") for index in range(5)]

    assert project.module("m4.py") is modules[4]
    assert project.module("m0.py") is modules[0]  # for it is held here
    first = weakref.ref(modules.pop(0))
    for index in range(1, 5):
        project.module(f"m{index}.py")
    gc.collect()
    assert first() is None
    assert project.module("m0.py").path == "m0.py"


def test_what_is_asked_for_again_outlives_what_a_pass_over_all_files_asks_for(monkeypatch):
    monkeypatch.setattr(module_store, "KEPT_SOURCE_BYTES", 2_500_000)
    filler = "x = 1  # " + "y" * 1000 + "\n"
    project = program({f"m{index}.py": filler * 600 for index in range(8)})
    again, once = [weakref.ref(module_of(project, path)) for path in ("m0.py", "m1.py")]
    project.module("m0.py")

    for index in range(2, 8):
        project.module(f"m{index}.py")
    gc.collect()

    assert again() is project.module("m0.py")
    assert once() is None


def test_the_only_tree_goes_whether_it_was_asked_for_once_or_again(monkeypatch):
    monkeypatch.setattr(module_store, "KEPT_SOURCE_BYTES", 1)
    project = program({"m.py": "x = 1\n", "n.py": "y = 1\n", "o.py": "z = 1\n"})
    held = [module_of(project, path) for path in ("m.py", "n.py", "m.py", "n.py")]
    seen = [weakref.ref(one) for one in held[:2]]
    held.clear()

    project.module("o.py")
    gc.collect()

    assert [one() for one in seen] == [None, None]


def test_expressions_are_found_by_what_they_take():
    found = module("a.b(c)\nf(a.b)\n")
    call, inner = found.tree.body[0].value, found.tree.body[1].value.args[0]

    assert list(found.expressions_at({found.span(call), found.span(inner)})) == [call, inner]
    assert list(found.expressions_at({found.span(found.tree.body[0].value.func)})) == [call.func]
    assert list(found.expressions_at(set())) == []


@pytest.mark.parametrize(
    "text",
    [
        "rows = []\nrows.append(1)\nlast = rows\n",
        "class Shop:\n    rows = {}\n\nlast = Shop.rows\n",
        "def f():\n    rows = []\n    rows.append(1)\n    return rows\n\nlast = f()\n",
    ],
)
@pytest.mark.slow
def test_a_tree_that_is_not_kept_is_freed_at_once_whatever_was_asked_of_it(monkeypatch, text):
    monkeypatch.setattr(module_store, "KEPT_SOURCE_BYTES", 1)
    monkeypatch.setattr(module_store, "FORGOTTEN_SOURCE_BYTES", 0)
    project = program({"m.py": text, "other.py": "x = 1\n"})
    gc.collect()
    gc.disable()
    try:
        module = module_of(project, "m.py")
        assert project.values.of(module, module.tree.body[-1].value).alternatives
        seen = weakref.ref(module)
        del module
        project.module("other.py")

        assert seen() is None
    finally:
        gc.enable()


@pytest.mark.slow
def test_what_is_remembered_of_trees_is_forgotten_when_they_are_let_go(monkeypatch):
    monkeypatch.setattr(module_store, "KEPT_SOURCE_BYTES", 1)
    project = program({"m.py": "def f(): ...\ng = f\n", "other.py": "x = 1\n", "last.py": ""})
    module = module_of(project, "m.py")
    assert project.values.of(module, module.tree.body[1].value).alternatives
    seen = weakref.ref(module)
    del module

    project.module("other.py")
    gc.collect()
    assert seen() is not None  # the next question may be about the same function

    monkeypatch.setattr(module_store, "FORGOTTEN_SOURCE_BYTES", 0)
    project.module("last.py")
    gc.collect()
    assert seen() is None


def test_no_garbage_is_collected_for_trees_that_a_collection_left(monkeypatch):
    monkeypatch.setattr(module_store, "KEPT_SOURCE_BYTES", 1)
    monkeypatch.setattr(module_store, "FORGOTTEN_SOURCE_BYTES", 0)
    monkeypatch.setattr(module_store, "COLLECTED_SOURCE_BYTES", 10)
    project = program({f"m{index}.py": "x = 1\n" for index in range(9)})
    collections = []
    monkeypatch.setattr(module_store.gc, "collect", lambda: collections.append(len(held)))
    held = []
    for index in range(9):
        held.append(project.module(f"m{index}.py"))  # noqa: PERF401  counted meanwhile

    # Six bytes each: a collection comes when two more are held than the last one left.
    assert collections == [2, 4, 6, 8]


def test_nodes_are_the_same_by_place_and_not_by_object():
    text = "def f(x): return x\ndef g(x): return x\n"
    (one, other) = (module_of(program({"m.py": text}), "m.py") for _ in range(2))
    (elsewhere,) = (module_of(program({"n.py": text}), "n.py") for _ in range(1))
    f, g = one.tree.body

    assert same_node(one, f, one, f)
    assert same_node(one, f, other, other.tree.body[0])
    assert not same_node(one, f, other, other.tree.body[1])
    assert not same_node(one, f, one, g)
    assert not same_node(one, f, elsewhere, elsewhere.tree.body[0])


def test_functions_are_equal_as_values_whichever_tree_they_stand_in():
    one, other = (module_of(program({"m.py": "def f(): ...\ndef g(): ..."}), "m.py") for _ in "12")
    f, g = (FunctionOf(one, node) for node in one.tree.body)
    same = FunctionOf(other, other.tree.body[0])

    assert f == same
    assert hash(f) == hash(same)
    assert f != g
    assert union((f,), (same, g)) == (f, g)
    assert f != FunctionOf(one, f.node, (), InstanceOf("m.A"))


def test_a_file_that_does_not_parse_is_no_module():
    project = program({"broken.py": "def f(:\n", "readme.txt": "x = 1\n"})

    assert project.module("broken.py") is None
    assert project.module("broken.py") is None
    assert project.module("readme.txt") is None
    assert project.module("missing.py") is None


def test_files_are_found_by_any_of_the_triggers_and_only_python_files():
    project = program({"b.py": "alpha\n", "a.py": "beta\n", "c.py": "gamma\n", "d.txt": "alpha\n"})

    assert project.files_with([b"alpha", b"beta"]) == ["a.py", "b.py"]
    assert project.files_with([]) == []


def test_what_holds_a_text_is_found_whatever_was_asked_before():
    files = {"a.py": "query", "b.py": "a.query", "c.py": "a.query = 1", "d.py": ""}

    for words in permutations([b"query", b".query", b".query =", b""]):
        project = program(files)
        found = {word: project.files_with([word]) for word in words}

        assert found == {
            b"": ["a.py", "b.py", "c.py", "d.py"],
            b"query": ["a.py", "b.py", "c.py"],
            b".query": ["b.py", "c.py"],
            b".query =": ["c.py"],
        }


def test_the_source_of_a_module_is_the_file_itself():
    source = SourceFile("a/__init__.py", b"x = 1\n")
    found = Module(source, ast.parse("x = 1"), "a")

    assert found.is_package
    assert not module("x = 1").is_package


def test_what_holds_a_node_is_known_but_for_operators():
    found = module("x = -a + f(b)\n")

    for node in found.walk():
        shared = isinstance(node, ast.operator | ast.unaryop | ast.expr_context)
        assert (found.parent(node) is None) == (shared or node is found.tree)


def test_mentions_of_a_name_come_in_the_order_of_the_source():
    found = module(
        "from m import run as go, other\nx.run(run)\nrun = y.run\nz.run = 1\n"
        "a = 'm:run', 'run()', 'run.x', 'm.run', 'to run', 'run'\ndef run(): pass\n"
    )

    mentioned = [found.text_of(node) for node in found.mentions("run")]

    names = ["run as go", "x.run", "run", "y.run"]
    assert mentioned == [*names, "'m:run'", "'run()'", "'m.run'", "'run'"]
    assert found.mentions("nothing") == ()


def test_a_call_is_found_at_its_place():
    found = module("f(a)(b).f(\n  f(c)\n)\n")
    calls = [node for node in found.walk() if isinstance(node, ast.Call)]

    assert len(calls) == 4
    assert all(found.calls_at(found.span(call)) == [call] for call in calls)
    assert found.calls_at(Span(0, 1)) == []


_QUALNAMES = [
    "class A:\n    def f(self):\n        class B: pass\n        return B\nseen = [A, A.f, A().f()]",
    "def f():\n    def g(): pass\n    return g\nseen = [f, f()]\n",
]
if sys.version_info >= (3, 12):
    # Type parameters are a scope, and no part of the name.
    _QUALNAMES += [
        "class A[T]:\n    class B:\n        def f(self): pass\nseen = [A, A.B, A.B.f]\n",
        "class A:\n    def f[T](self): return lambda: 0\nseen = A, A.f",
    ]


@pytest.mark.parametrize("text", _QUALNAMES)
def test_names_of_definitions_are_those_that_python_stores(text):
    names: dict[str, list] = {}
    exec(text, names)

    one = module(text)
    found = [
        one.qualname(node)
        for node in one.walk()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    ]
    assert sorted(found) == sorted(seen.__qualname__ for seen in names["seen"])


@pytest.mark.parametrize("name", ["argparse.py", "ast.py", "asyncio/base_events.py", "typing.py"])
def test_nodes_below_a_statement_are_those_of_a_walk(name):
    file = module((STANDARD_LIBRARY / name).read_bytes())

    for node in file.nodes(ast.AST):
        if isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case):
            assert [*file.walk(node)] == [*walk(node)]

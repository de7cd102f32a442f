"""The pytest fixture that a parameter of a test receives, or that ``request`` asks for by name."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

from awaken.project.names.functions.decorators import PYTEST_FIXTURES
from awaken.project.names.resolution import Names
from awaken.project.source.modules import Load, Module, same_node
from awaken.project.source.test_files import conftest_paths
from awaken.project.source.trees import (
    Function,
    last_name,
    parameters_of,
    root_of,
    unpacks,
    variable_of,
    without_arguments,
)
from awaken.project.source.worklist import MOST_FILES, multimap
from awaken.project.values.domain import FunctionOf, ModuleOf, Values
from awaken.project.values.questions import Questions

_ARGUMENTS_OF_PATCHES = {"unittest.mock.patch": 1, "unittest.mock.patch.object": 2}
"""What says the place of a patch; what is put there comes behind it."""


def fixture_for(
    evaluator: Questions, module: Module, function: Function, name: str
) -> FunctionOf | None:
    """Return the fixture ``name`` that pytest passes to ``function``; None if not visible.

    pytest takes the nearest. The class of the test comes first, then its file, and then the
    ``conftest.py`` files above. Last come the ``pytest_plugins`` that these name. A file has what
    it imports as well. Fixtures of other plugins are not searched.
    """
    names, load = evaluator.names, evaluator.load
    if not takes_fixture(module, function, name, names):
        return None
    around = module.parent(function)
    parts = around.body if isinstance(around, ast.ClassDef) else ()
    for part in (part for part in parts if isinstance(part, Function) and part is not function):
        if fixture_name(module, part, names) == name:
            return FunctionOf(module, part)
    paths = [module.path, *conftest_paths(module.path)]
    # The list grows while it is read: plugins name others.
    for count, path in enumerate(paths):
        defining = load(path) if count < MOST_FILES else None
        if defining is None:
            continue
        for at, node in _fixtures_in(defining, name, names, load):
            # A fixture that asks for its own name gets the one further out.
            if not same_node(at, node, module, function):
                return FunctionOf(at, node)
        paths += [plugin for plugin in _plugins(defining, names) if plugin not in paths]
    return None


def fixtures_of(evaluator: Questions, module: Module, function: Function) -> Iterator[FunctionOf]:
    """Yield the fixtures that pytest passes to the parameters of ``function``, in their order."""
    for parameter, _ in parameters_of(function.args):
        fixture = fixture_for(evaluator, module, function, parameter.arg)
        if fixture is not None:
            yield fixture


def takes_fixture(module: Module, function: Function, name: str, names: Names) -> bool:
    """Whether pytest passes a fixture as the parameter ``name`` of ``function``."""
    is_fixture = fixture_name(module, function, names) is not None
    # pytest passes fixtures to nothing else.
    if not is_fixture and not function.name.startswith("test"):
        return False
    if any(_gives_arguments(decorator, name) for decorator in function.decorator_list):
        return False
    if any(default and part.arg == name for part, default in parameters_of(function.args)):
        return False
    return not _is_patched(module, function, name, names)


def _fixtures_in(
    module: Module, name: str, names: Names, load: Load
) -> Iterator[tuple[Module, Function]]:
    """Yield the fixtures that a file defines under a name, or imports."""
    for node in _fixtures(module, names).get(name, ()):
        yield module, node
    bound = module.scopes.module.bindings.get(name)
    if bound is not None and all(binding.kind != "import" for binding in bound):
        return
    qualified = names.attribute(module.path, name)
    located = None if qualified is None else names.locate(qualified)
    if located is None or located.path == module.path or len(located.rest) != 1:
        return
    home = load(located.path)
    for node in _fixtures(home, names).get(name, ()) if home is not None else ():
        if home is not None and node.name == located.rest[0]:
            yield home, node


def _plugins(module: Module, names: Names) -> list[str]:
    """Return the files of the program that a file names as ``pytest_plugins``."""
    bindings = module.scopes.module.bindings.get("pytest_plugins", [])
    written = [binding.value for binding in bindings if binding.value is not None]
    listed = [
        each
        for node in written
        for each in (node.elts if isinstance(node, ast.List | ast.Tuple) else [node])
    ]
    texts = (each.value for each in listed if isinstance(each, ast.Constant))
    result = (names.layout.find(text, module.path).path for text in texts if isinstance(text, str))
    return [candidate for candidate in result if candidate is not None]


def _fixtures(module: Module, names: Names) -> dict[str, list[Function]]:
    """Return the fixtures at the top of a file, by the names by which tests ask for them."""
    functions = (node for node in module.tree.body if isinstance(node, Function))
    named = ((name, node) for node in functions if (name := fixture_name(module, node, names)))
    return module.memoize(_fixtures, lambda: multimap(named))


def _gives_arguments(decorator: ast.expr, name: str) -> bool:
    """Whether ``parametrize("name", ...)`` may pass the argument instead.

    With ``indirect=True`` it passes what fixtures get as ``request.param``.
    """
    for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
        match keyword:
            case ast.keyword(arg="indirect", value=ast.Constant(value=True)):
                return False
    parts = [node for node in ast.walk(decorator) if isinstance(node, ast.Name | ast.Attribute)]
    if "parametrize" not in map(last_name, parts):
        return False
    told = decorator
    if isinstance(decorator, ast.Call) and last_name(decorator.func) == "parametrize":
        # It may also pass the name of a fixture.
        told = next(iter(decorator.args), decorator)
    texts = [node.value for node in ast.walk(told) if isinstance(node, ast.Constant)]
    # Names that are computed may be the one that is asked for.
    listed = (text.split(",") for text in texts if isinstance(text, str))
    named = any(name == word.strip() for each in listed for word in each)
    return named or not any(isinstance(text, str) for text in texts)


def _is_patched(module: Module, function: Function, name: str, names: Names) -> bool:
    """Whether a decorator of ``unittest.mock`` may pass the argument instead.

    A patch without an object of its own passes the mock by its position. Such mocks fill the first
    parameters of a function, and fixtures the others.
    """
    around = module.enclosing_class(function)
    filled = 0
    for decorator in (*function.decorator_list, *(around.decorator_list if around else ())):
        given = _mocks_given(module, decorator, name, names)
        if given is None:
            return True
        filled += given
    parameters = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return name in parameters[int(around is not None) :][:filled]


def _mocks_given(module: Module, decorator: ast.expr, name: str, names: Names) -> int | None:
    """Return how many mocks a decorator passes by their position; None if unknown.

    None as well where it passes one as ``name``.
    """
    words = {node.id for node in ast.walk(decorator) if isinstance(node, ast.Name)}
    words |= {node.attr for node in ast.walk(decorator) if isinstance(node, ast.Attribute)}
    if "patch" not in words:
        return 0
    qualified = names.qualified_name(module, without_arguments(decorator))
    if not isinstance(decorator, ast.Call) or qualified is None:
        return None
    if unpacks(decorator):
        return None
    keywords = {keyword.arg for keyword in decorator.keywords}
    if qualified == "unittest.mock.patch.multiple":
        return None if name in keywords else 0
    if qualified == "unittest.mock.patch.dict":
        return 0
    if qualified not in _ARGUMENTS_OF_PATCHES:
        # Functions of pytest itself patch nothing, whatever their arguments.
        return 0 if qualified.startswith("pytest.") else None
    has_object = len(decorator.args) > _ARGUMENTS_OF_PATCHES[qualified] or "new" in keywords
    return 0 if has_object else 1


def fixture_name(module: Module, node: Function, names: Names) -> str | None:
    """Return the name by which tests ask for the fixture ``node``, or None."""
    for decorator in node.decorator_list:
        plain = without_arguments(decorator)
        if names.qualified_name(module, plain) not in PYTEST_FIXTURES:
            continue
        given = decorator.keywords if isinstance(decorator, ast.Call) else []
        named = next((argument.value for argument in given if argument.arg == "name"), None)
        if isinstance(named, ast.Constant) and isinstance(named.value, str):
            return named.value
        return node.name
    return None


def scope_of(fixture: Function) -> str:
    """Return the scope of a fixture; empty if it is computed."""
    for decorator in fixture.decorator_list:
        for keyword in decorator.keywords if isinstance(decorator, ast.Call) else ():
            if keyword.arg in {"scope", None}:
                value = keyword.value
                return str(value.value) if isinstance(value, ast.Constant) else ""
    return "function"


ASKING = "getfixturevalue"
_OTHER_PARAMS = ("indirect", "pytest_generate_tests")
"""Words in files that give a fixture other parameters than it names itself."""


def fixtures_asked_for(
    evaluator: Questions, module: Module, call: ast.Call
) -> list[FunctionOf] | None:
    """Return the fixtures that ``call`` may give what they give; None where that is not known.

    Their names are visible if they are texts, or parameters that ``parametrize`` gives texts. So
    are they as the ``request.param`` of a fixture with texts for ``params``.
    """
    function = module.enclosing_function(call)
    if not isinstance(function, Function) or len(call.args) != 1:
        return None
    match call.args[0]:
        case ast.Constant(value=str() as text):
            names: set[str] | None = {text}
        case ast.Name(id=name):
            names = _texts(parametrized_values(function, name))
        case ast.Attribute(value=ast.Name(id="request"), attr="param"):
            names = _own_params(evaluator, module, function)
        case _:
            names = None
    if names is None:
        return None
    fixtures = [fixture_for(evaluator, module, function, name) for name in names]
    known = [value for value in sorted(fixtures, key=_place) if value is not None]
    return known if len(known) == len(fixtures) else None


def _place(fixture: FunctionOf | None) -> tuple[str, int]:
    return ("", 0) if fixture is None else (fixture.module.path, fixture.node.lineno)


def is_asking(call: ast.Call) -> bool:
    """Whether a call asks for a fixture by its name."""
    return isinstance(call.func, ast.Attribute) and call.func.attr == ASKING


def _own_params(evaluator: Questions, module: Module, function: Function) -> set[str] | None:
    """Return the texts of which pytest chooses the ``request.param`` of a fixture, if only these.

    Tests may give it others, which is not looked at any closer.
    """
    name = fixture_name(module, function, evaluator.names)
    listed = [
        keyword.value
        for decorator in function.decorator_list
        if isinstance(decorator, ast.Call)
        and evaluator.names.qualified_name(module, without_arguments(decorator)) in PYTEST_FIXTURES
        for keyword in decorator.keywords
        if keyword.arg == "params"
    ]
    if name is None or len(listed) != 1 or not isinstance(listed[0], ast.List | ast.Tuple):
        return None
    naming = evaluator.files_naming(name)
    for word in _OTHER_PARAMS:
        others = evaluator.files_naming(word)
        if naming is None or others is None or not set(naming).isdisjoint(others):
            return None
    return _texts([_of_param(element) for element in listed[0].elts])


def _of_param(node: ast.expr) -> ast.expr | None:
    """Return the only value of ``pytest.param(value, marks=...)``, or ``node`` itself."""
    if isinstance(node, ast.Call) and last_name(node.func) == "param":
        return node.args[0] if len(node.args) == 1 else None
    return node


def _texts(values: Sequence[ast.expr | None]) -> set[str] | None:
    """Return what ``values`` say, if all of them are texts and there are any."""
    known = [value.value for value in values if isinstance(value, ast.Constant)]
    texts = {candidate for candidate in known if isinstance(candidate, str)}
    return texts if values and len(known) == len(values) and texts else None


def parametrized_values(function: Function, name: str) -> list[ast.expr | None]:
    """Return the values that ``parametrize`` passes to a parameter; None for unknown ones."""
    calls = [part for part in function.decorator_list if isinstance(part, ast.Call)]
    marks = [call for call in calls if last_name(call.func) == "parametrize"]
    return [value for call in marks for value in _values_passed(call, name)]


def _values_passed(decorator: ast.Call, name: str) -> Iterator[ast.expr | None]:
    match decorator.args:
        case [ast.Constant(value=str() as text), values, *_]:
            names = [line.strip() for line in text.split(",")]
        case [ast.List(elts=named) | ast.Tuple(elts=named), values, *_]:
            names = [
                node.value
                for node in named
                if isinstance(node, ast.Constant) and isinstance(node.value, str)
            ]
            if len(names) != len(named):
                yield None
                return
        case _:
            yield None
            return
    if name not in names:
        return
    if not isinstance(values, ast.List | ast.Tuple):
        yield None
        return
    for element in values.elts:
        row = element
        is_param = isinstance(element, ast.Call) and last_name(element.func) == "param"
        if is_param and isinstance(element, ast.Call):
            row = ast.Tuple(element.args, ast.Load())
        if len(names) == 1 and not is_param:
            yield row
        elif isinstance(row, ast.List | ast.Tuple) and len(row.elts) == len(names):
            yield row.elts[names.index(name)]
        else:
            yield None


def modules_of_tests(evaluator: Questions, module: Module, node: ast.Attribute) -> Values | None:
    """Return the modules that ``request.module`` may be; None for other attributes.

    Of these, files without what the function reads off it are left out: to read it raises there.
    """
    if node.attr != "module" or not _is_request(node.value):
        return None
    function = module.enclosing_function(node)
    asked = root_of(node)
    if not isinstance(function, Function) or module.scopes.parameter_of(asked) is None:
        return None
    names = evaluator.names
    is_own = fixture_for(evaluator, module, function, _REQUEST) is not None
    if is_own or not takes_fixture(module, function, _REQUEST, names):
        return None
    folder, _, file = module.path.rpartition("/")
    below = f"{folder}/" if folder and file == "conftest.py" else ""
    paths = (names.layout.path_of(name) for name in names.layout.modules())
    read = _names_read(module, node)
    return tuple(
        ModuleOf(path)
        for path in sorted(path for path in paths if path is not None)
        if path.startswith(below) and (read is None or _binds(evaluator, path, read))
    )


_REQUEST = "request"


def _is_request(node: ast.expr) -> bool:
    """Whether ``node`` is written ``request`` or ``request.node``."""
    inner = node.value if isinstance(node, ast.Attribute) and node.attr == "node" else node
    return isinstance(inner, ast.Name) and inner.id == _REQUEST


def _names_read(module: Module, node: ast.expr) -> set[str] | None:
    """Return the attributes that code reads off ``node``; None where it may read others."""
    variable = variable_of(module.parent(node))
    uses: list[ast.AST] = [node]
    if variable is not None:
        same = (use for use in module.mentions(variable.id) if use is not variable)
        uses = [use for use in same if module.scopes.only_value(use) is node]
        others = len(module.scopes.bindings_of(variable)) != 1
        uses += [variable] if others else []
    names = [_name_read(module, use) for use in uses]
    return {name for name in names if name} if all(names) else None


def _name_read(module: Module, use: ast.AST) -> str:
    """Return ``name`` of ``use.name`` and ``getattr(use, "name")``; empty for other uses."""
    owner, name = module.scopes.attribute_read(module.parent(use), {"getattr", "hasattr"})
    return name if owner is use else ""


def _binds(evaluator: Questions, path: str, names: set[str]) -> bool:
    home = evaluator.load(path)
    return home is not None and not all(evaluator.lacks_name(home, name) for name in names)

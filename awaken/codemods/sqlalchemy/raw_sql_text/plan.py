"""The rule: plain strings that sessions and connections execute."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.sqlalchemy.raw_sql_text import reasons
from awaken.contract import Constraints, NeedImport, Phase, Place, Plan, Reason
from awaken.kit.caveats.failures import HIDDEN, caught_around, caught_by_callers
from awaken.kit.caveats.replaced_names import caveats_of, doubles_passed
from awaken.kit.changes import decide, plan_of
from awaken.kit.names_here import name_here
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import Rule
from awaken.kit.search import Rewritten, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.sql_names import sql_names
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof
from awaken.project.source.f_strings import is_literal
from awaken.project.source.trees import chained_calls, last_name
from awaken.project.source.worklist import MOST_STEPS
from awaken.project.values.domain import InstanceOf

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_METHODS = library_names().executing_methods
_CONNECTIONS = {"sqlalchemy.Connection", "sqlalchemy.ext.asyncio.AsyncConnection"}
_KEYWORDS = name_list("keywords_of_execute")
_HOMES = ["sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlmodel"]
# The syntax of SQLAlchemy's parameters.
_BIND = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")
_PLACEHOLDER = re.compile(r"%s|%\(\w+\)s")
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_PUT_TOGETHER = "a `:name` in a value that is inserted into this SQL becomes a parameter"
_UNSEEN = "a `:name` in this SQL becomes a parameter"
_CATCHING = {None, "sqlalchemy.exc.ObjectNotExecutableError"} | library_names().catching_all
_CATCHING |= name_list("errors_of_sqlalchemy")
_IN_LAMBDA = "it fails today, and the caller of this lambda may hide that"
_STATEMENTS = sql_names().selects | sql_names().texts | sql_names().writes
_STRING = InstanceOf("builtins.str")


class RawSqlText(Rule):
    """Wraps strings that are executed in ``text()``."""

    name = "raw-sql-text"
    family = "sqlalchemy"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    triggers = tuple(f".{method}(".encode() for method in sorted(_METHODS))
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    reasons: ClassVar[tuple[Reason, ...]] = (INSIDE_FSTRING, *reasons.ALL)

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per string that is executed, and its change."""
        rewritten = Rewritten(constraints.rewritten)
        return plan_of(
            decide(Site(self.name, module, call), _rewrite, project, statement, kind)
            for module in site_modules(project, self.triggers)
            for call, statement in _executed_pairs(module)
            # Callers may have to tell what a name holds, and who executes it; so they come last.
            if rewritten.may_be_around(module, call)
            and not _is_something_else(project, module, statement)
            and (kind := _kind(project, module, call)) is not None
            and _is_string(project, module, statement)
        )


def _executed_pairs(module: Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    for node in module.nodes(ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(attr=method)) if method in _METHODS:
                named = (keyword.value for keyword in node.keywords if keyword.arg == "statement")
                statement = node.args[0] if node.args else next(named, None)
                if statement is not None and _may_be_string(statement):
                    yield node, statement


def _kind(project: Project, module: Module, call: ast.Call) -> str | None:
    """Return whether a session or a connection executes; None where neither is proved."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else call.func
    classes = project.instance_of(module, owner)
    if classes and _CONNECTIONS.issuperset(classes):
        return "connection"
    proof = project.orm.session_of(module, owner)
    is_proved = isinstance(proof, SessionProof) and not proof.by_use and not proof.unless
    return "session" if is_proved else None


def _rewrite(site: Site[ast.Call], project: Project, statement: ast.expr, kind: str) -> Rewrite:
    """Return how the string is wrapped. Raises Refused."""
    if site.module.in_fstring(site.node):
        raise Refused(INSIDE_FSTRING, site.module.excerpt(site.node))
    text = _text_of(project, site.module, statement)
    older = project.targets is not None and project.targets.admits("sqlalchemy", "<2.0")
    if older and kind == "connection" and text is None:
        raise Refused(reasons.DRIVER_SQL)
    _check_arguments(site)
    caveats = [] if text is not None else [_caveat(statement)]
    if text is not None:
        _check_text(site, text, to_driver=older and kind == "connection", older=older)
    if not older and any(
        guard.ends == "expects" for guard in project.effects.guards(site.module, site.node)
    ):
        raise Refused(reasons.EXPECTED_FAILURE)
    seen, places = ([], ()) if older else _who_sees(project, site)
    caveats += [*_own_methods(project, site), *seen]
    written = name_here(site.module, site.node, "text", _HOMES, "sa_")
    edits = [site.insert_before(statement, f"{written.text}("), site.insert_behind(statement, ")")]
    if written.needs is None:
        return Rewrite(_said_text(site, statement, written.text), edits, caveats, places)
    home, name, alias = written.needs
    needed = NeedImport(path=site.module.path, module=home, name=name, alias=alias, site=site.id)
    return Rewrite(_said_text(site, statement, written.text), [*edits, needed], caveats, places)


def _said_text(site: Site[ast.Call], statement: ast.expr, written: str) -> str:
    return f"`{site.module.excerpt(statement)}` is wrapped in `{written}()`"


def _caveat(statement: ast.expr) -> str:
    return _UNSEEN if isinstance(statement, ast.Name | ast.Attribute) else _PUT_TOGETHER


def _check_arguments(site: Site[ast.Call]) -> None:
    """Raise Refused where parameters are passed in a way that only drivers know."""
    for keyword in site.node.keywords:
        if keyword.arg not in _KEYWORDS:
            raise Refused(reasons.KEYWORDS, keyword.arg or "**")
    given = _parameters(site.node)
    if isinstance(given, ast.Tuple) or len(site.node.args) > 2:  # noqa: PLR2004  text, parameters
        raise Refused(reasons.PLACEHOLDERS, site.module.excerpt(site.node.args[1]))
    if isinstance(given, ast.List) and any(not isinstance(node, ast.Dict) for node in given.elts):
        raise Refused(reasons.PLACEHOLDERS, site.module.excerpt(given))


def _parameters(call: ast.Call) -> ast.expr | None:
    named = (keyword.value for keyword in call.keywords if keyword.arg in {"params", "parameters"})
    return call.args[1] if len(call.args) > 1 else next(named, None)


def _check_text(site: Site[ast.Call], text: str, *, to_driver: bool, older: bool) -> None:
    """Raise Refused where ``text()`` reads something else in ``text`` than what is meant."""
    given = _parameters(site.node)
    # A session of SQLAlchemy 1.x wraps what it is given in `text()` itself.
    if older and not to_driver:
        return
    if "\\:" in text:
        raise Refused(reasons.BACKSLASH)
    placeholder = _PLACEHOLDER.search(text)
    if placeholder is not None and (given is not None or to_driver):
        raise Refused(reasons.PLACEHOLDERS, placeholder.group())
    if "%%" in text or (to_driver and "%" in text):
        raise Refused(reasons.PERCENT)
    if "?" in _LITERAL.sub("", text) and given is not None:
        raise Refused(reasons.PLACEHOLDERS, "?")
    passed = _names(given)
    for name in _BIND.findall(text):
        if passed is not None and name not in passed:
            raise Refused(reasons.COLON, name)


def _names(given: ast.expr | None) -> set[str] | None:
    """Return the names of the parameters that are passed; None if they are not visible."""
    match given:
        case None:
            return set()
        case ast.Dict(keys=keys):
            result = {key.value for key in keys if isinstance(key, ast.Constant)}
            return {str(item) for item in result} if len(result) == len(keys) else None
        case ast.List(elts=[first, *_]):
            return _names(first)
    return None


def _own_methods(project: Project, site: Site[ast.Call]) -> list[str]:
    """Return the clause that says which subclass of sessions may look at the string."""
    func = site.node.func
    proof = project.orm.session_of(
        site.module, func.value if isinstance(func, ast.Attribute) else func
    )
    if not isinstance(proof, SessionProof) or proof.is_followed:
        return []
    methods = project.orm.replaced_methods.of_sessions((last_name(func),))
    return [method.why for method in methods if not method.is_put][:1]


def _who_sees(project: Project, site: Site[ast.Call]) -> tuple[list[str], tuple[Place, ...]]:
    """Return the clauses that say who relies on the string, and the places that do.

    SQLAlchemy 2.0 raises for strings. Code that catches the error, here or in a caller, can rely on
    such a call. So can a test whose mock takes strings.
    """
    module, call = site.module, site.node
    replaced = project.replaced_names.replacements_of(module, call.func)
    clauses, places = caveats_of(module, call.func, replaced)
    clauses += [HIDDEN for _ in caught_around(project, module, call, _CATCHING)][:1]
    function = module.enclosing_function(call)
    if isinstance(function, ast.Lambda):
        clauses.append(_IN_LAMBDA)
        function = module.enclosing_def(call)
    if HIDDEN not in clauses:
        seen = [*islice(caught_by_callers(project, module, call, _CATCHING), 1)]
        clauses += [clause for clause, _ in seen]
        places += tuple(place for _, place in seen)
    if function is None:
        return clauses, places
    double = next(doubles_passed(project, module, {last_name(call.func)}, function), None)
    if double is not None and not replaced:
        clauses.append(f"{double.path} passes a mock of it, which may look at the string")
        places += (double,)
    return clauses, places


def _may_be_string(node: ast.expr) -> bool:
    """Whether ``node`` is written as a string, or a name that may hold one."""
    part = _first_part(node)
    if isinstance(part, ast.Constant):
        return isinstance(part.value, str)
    return is_literal(part) or isinstance(part, ast.Name | ast.Attribute)


def _is_something_else(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node`` may be something else than a string, whatever callers pass."""
    part = _first_part(node)
    if not isinstance(part, ast.Name | ast.Attribute):
        return False
    if _is_statement(project, module, part):
        return True
    known = project.values.without_callers(module, part).alternatives
    return any(
        not isinstance(value, InstanceOf) or value.qualified != _STRING.qualified for value in known
    )


def _is_statement(project: Project, module: Module, node: ast.Name | ast.Attribute) -> bool:
    """Whether a variable holds a statement; its columns are of no use here."""
    bindings = module.scopes.bindings_of(node)
    made = [[*chained_calls(item.value)] for item in bindings if item.kind == "assignment"]
    # `statement = statement.where(...)` makes another one of a statement.
    begun = [calls for calls in made if not calls or _variable(calls[-1]) != ast.unparse(node)]
    named = [{project.qualified_name(module, call.func) for call in calls} for calls in begun]
    is_all = bool(begun) and len(made) == len(bindings)
    return is_all and not any(map(_STATEMENTS.isdisjoint, named))


def _variable(call: ast.Call) -> str:
    return ast.unparse(call.func.value) if isinstance(call.func, ast.Attribute) else ""


def _is_string(project: Project, module: Module, node: ast.expr) -> bool:
    """Whether ``node``, of which ``_may_be_string`` is true, is proved to be a string."""
    part = _first_part(node)
    if not isinstance(part, ast.Name | ast.Attribute):
        return True
    values = project.values.of(module, part)
    return values.is_known and set(values.alternatives) == {_STRING}


def _first_part(node: ast.expr) -> ast.expr:
    """Return the leftmost operand of what ``node`` is put together from."""
    match node:
        case ast.BinOp(left=left, op=ast.Add() | ast.Mod()):
            return _first_part(left)
        case ast.Call(func=ast.Attribute(value=value, attr="format")):
            return _first_part(value)
    return node


def _text_of(project: Project, module: Module, node: ast.expr) -> str | None:
    """Return the text that ``node`` is; None where it is not one constant."""
    waiting, texts = [(module, node)], list[str]()
    for _ in range(MOST_STEPS):
        if not waiting:
            return "".join(texts)
        home, part = waiting.pop()
        match part:
            case ast.Constant(value=str() as text):
                texts.append(text)
            case ast.BinOp(left=left, op=ast.Add(), right=right):
                waiting += [(home, right), (home, left)]
            case ast.Name() | ast.Attribute():
                value = _held_pair(project, home, part)
                if value is None:
                    return None
                waiting.append(value)
            case _:
                return None
    return None


def _held_pair(
    project: Project, module: Module, node: ast.Name | ast.Attribute
) -> tuple[Module, ast.expr] | None:
    """Return the one value of a variable of a function, or at the top of a file."""
    binding = module.scopes.only_binding(node)
    if binding is not None and binding.kind == "assignment" and binding.value is not None:
        return module, binding.value
    name = project.qualified_name(module, node)
    result = None if name is None else project.definition(name)
    is_assigned = result is not None and result.kind == "assignment"
    return project.value_at(name) if is_assigned else None

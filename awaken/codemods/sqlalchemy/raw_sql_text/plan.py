"""The rule: plain strings that sessions and connections execute."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from awaken.codemods.sqlalchemy.raw_sql_text import reasons
from awaken.codemods.sqlalchemy.raw_sql_text.seeing import who_sees
from awaken.codemods.sqlalchemy.raw_sql_text.strings import (
    is_something_else,
    is_string,
    may_be_string,
    text_of,
)
from awaken.contract import Constraints, NeedImport, Phase, Plan, Reason
from awaken.kit.changes import decide, plan_of
from awaken.kit.names_here import name_here
from awaken.kit.reasons import INSIDE_FSTRING
from awaken.kit.rule import Rule
from awaken.kit.search import Rewritten, site_modules
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.knowledge.library_names import name_list
from awaken.project.frameworks.sqlalchemy.sessions import SessionProof

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

_METHODS = {"execute", "scalar", "scalars", "stream", "stream_scalars"}
_CONNECTIONS = {"sqlalchemy.Connection", "sqlalchemy.ext.asyncio.AsyncConnection"}
_KEYWORDS = name_list("keywords_of_execute")
_HOMES = ["sqlalchemy", "sqlalchemy.sql", "sqlalchemy.sql.expression", "sqlmodel"]
# The syntax of SQLAlchemy's parameters.
_BIND = re.compile(r"(?<![:\w\\]):(\w+)(?![:\w])")
_PLACEHOLDER = re.compile(r"%s|%\(\w+\)s")
_LITERAL = re.compile(r"'[^']*'|\"[^\"]*\"")
_PUT_TOGETHER = "a `:name` in a value that is inserted into this SQL becomes a parameter"
_UNSEEN = "a `:name` in this SQL becomes a parameter"


class RawSqlText(Rule):
    """Wraps strings that are executed in ``text()``."""

    name = "raw-sql-text"
    family = "sqlalchemy"
    phase = Phase.REPAIR
    decides_by = "file"
    since = "0.1.0"
    triggers = (b".execute(", b".scalar(", b".scalars(", b".stream(", b".stream_scalars(")
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
            and not is_something_else(project, module, statement)
            and (kind := _kind(project, module, call)) is not None
            and is_string(project, module, statement)
        )


def _executed_pairs(module: Module) -> Iterator[tuple[ast.Call, ast.expr]]:
    for node in module.nodes(ast.Call):
        match node:
            case ast.Call(func=ast.Attribute(attr=method)) if method in _METHODS:
                named = (keyword.value for keyword in node.keywords if keyword.arg == "statement")
                statement = node.args[0] if node.args else next(named, None)
                if statement is not None and may_be_string(statement):
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
    text = text_of(project, site.module, statement)
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
    seen, places = ([], ()) if older else who_sees(project, site)
    caveats += seen
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

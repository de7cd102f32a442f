"""The rule: every asynchronous session and factory gets `expire_on_commit=False`.

The calls that make sessions, or what makes them, and what each says of expiry.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar

from msgspec import Meta, Struct

from awaken.codemods.sqlalchemy.expire_on_commit import reasons
from awaken.contract import Constraints, Edit, Phase, Place, Plan, Span, Status
from awaken.kit.changes import Decided, decide, plan_of, refused_together
from awaken.kit.rule import Rule
from awaken.kit.search import argument, modules_with, site_modules
from awaken.kit.sites import SHOWN, Refused, Rewrite, Site, joined_words, shown_place
from awaken.knowledge import knowledge
from awaken.knowledge.libraries import CONFIGURED
from awaken.knowledge.sessions import session_configurations
from awaken.project.frameworks.sqlalchemy.commits.commit_facts import Commit, Later
from awaken.project.source.memo import cached_by, cached_property
from awaken.project.source.trees import Function, is_constant, keyword_of, last_name, variable_of
from awaken.project.values.domain import Producer, Session

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.source.modules import Module

OPTION = "expire_on_commit"
WORDS = (
    *(b"Session(", b"Session)", b"Session as ", b"sessionmaker"),
    *(b"partial", b"SessionConfig", b"AsyncConfig"),
)
"""Every file that makes a session has one of these."""

_PARTIAL = "functools.partial"
_ASYNC_ROLES = {"async", "async-factory"}
_CLASS = "class_"
_OPTION = "populate_existing"
_CAVEAT = "with `autoflush=False`, a change that is not flushed before then is lost"


class Maker(Struct, frozen=True):
    """A call that makes sessions, or what makes them.

    ``shown`` is what makes them, as it is written. ``own_class`` is the program's own class of the
    sessions, if any, ``configured_by`` the argument that configures an extension.
    """

    module: Module
    call: ast.Call
    shown: str
    is_async: bool
    is_factory: bool
    own_class: str = ""
    configured_by: str = ""

    @property
    def expiry_argument(self) -> ast.expr | None:
        """The value that the call gives for expiry; None without one."""
        return argument(self.call, len(self.call.args), OPTION)

    @property
    def unpacked_mappings(self) -> list[ast.expr]:
        """The mappings that are unpacked into keyword arguments."""
        return [keyword.value for keyword in self.call.keywords if keyword.arg is None]


def makers_in(project: Project, module: Module) -> Iterator[Maker]:
    """Yield the calls of a file that make sessions, in the order of the source."""
    for node in module.nodes(ast.Call):
        made = _plain(node.func)
        # ``partial(AsyncSession, engine)`` makes what it is given.
        if last_name(made) == "partial" and node.args:
            if project.qualified_name(module, made) != _PARTIAL:
                continue
            made = _plain(node.args[0])
        maker = _maker(project, module, node, made)
        if maker is not None:
            yield maker


def _plain(node: ast.expr) -> ast.expr:
    """Return ``async_sessionmaker`` of ``async_sessionmaker[AsyncSession]``."""
    return node.value if isinstance(node, ast.Subscript) else node


def _maker(project: Project, module: Module, call: ast.Call, made: ast.expr) -> Maker | None:
    if not isinstance(made, ast.Name | ast.Attribute):
        return None
    role, own = _role_of(project, module, made)
    if role not in CONFIGURED:
        return _of_extension(project, module, call, made)
    is_async = role in _ASYNC_ROLES
    given = keyword_of(call, _CLASS)
    if given is not None and role.endswith("factory"):
        given_role, own = _role_of(project, module, given)
        is_async = is_async or given_role == "async"
    is_factory = role.endswith("factory") or made is not _plain(call.func)
    return Maker(module, call, module.excerpt(made), is_async, is_factory, own)


def _of_extension(
    project: Project, module: Module, call: ast.Call, made: ast.Name | ast.Attribute
) -> Maker | None:
    # Only names that look like it are resolved.
    if not last_name(made).endswith(("AsyncConfig", "SessionConfig")):
        return None
    known = session_configurations()
    name = project.qualified_name(module, made) or ""
    told_by = known.configured_by.get(name, "")
    if name not in known.sessions and not told_by:
        return None
    return Maker(
        module, call, module.excerpt(made), is_async=True, is_factory=True, configured_by=told_by
    )


def _role_of(project: Project, module: Module, node: ast.expr) -> tuple[str, str]:
    """Return what a class or function is to sessions, and its name if it is the program's own."""
    if isinstance(node, ast.Name) and not _may_be_class(module, node):
        return "", ""
    name = project.qualified_name(module, _plain(node))
    if name is None:
        return "", ""
    known = knowledge().types
    role = known.get(name, "")
    if role or project.class_facts(name) is None:
        return role, ""
    above = {known.get(word, "") for word in project.library_ancestors(name)} & CONFIGURED
    return (above.pop(), name) if len(above) == 1 else ("", "")


def _may_be_class(module: Module, node: ast.Name) -> bool:
    """Whether a name is not a plain local variable: most calls are of those, or of builtins."""
    return bool(module.scopes.bindings_of(node))


def configured_node(project: Project, module: Module, node: ast.AST) -> ast.expr | None:
    """Return what ``maker.configure(expire_on_commit=...)`` says; None of anything else."""
    match node:
        case ast.Call(func=ast.Attribute(value=owner, attr="configure")):
            said = argument(node, len(node.args), OPTION)
            values = () if said is None else project.values.of(module, owner).alternatives
            is_factory = any(isinstance(one, Producer) and one.how == "factory" for one in values)
            return said if is_factory or Session("async-scoped") in values else None
    return None


def kept_names(project: Project) -> frozenset[str]:
    """Return the names of the factories that ``configure(expire_on_commit=False)`` decides."""
    result: set[str] = set()
    for module in modules_with(project, (b".configure(",)):
        for node in module.walk() if OPTION.encode() in module.source.text else ():
            said = configured_node(project, module, node)
            if is_constant(said, value=False):
                owner = node.func.value  # type: ignore[attr-defined]  # as it is configured
                result.add(project.qualified_name(module, owner) or "")
    return frozenset(result - {""})


def name_of(maker: Maker) -> str:
    """Return the qualified name of the variable that a call is assigned to; else nothing."""
    module, call = maker.module, maker.call
    name = last_name(variable_of(module.parent(call)))
    return f"{module.name}.{name}" if name and module.enclosing_function(call) is None else ""


def own_init(project: Project, maker: Maker) -> str:
    """Return the class of the program whose own method makes the sessions; empty if none."""
    for facts in project.class_line(maker.own_class or ""):
        if facts.members & {"__call__", "__init__"}:
            return facts.qualified
    return ""


def keeps_by_init(project: Project, maker: Maker) -> bool:
    """Whether the ``__init__`` of the sessions' class says ``expire_on_commit=False`` itself."""
    owner = own_init(project, maker)
    home = project.class_definition(owner)
    body = [] if home is None else home[1].body
    inits = [part for part in body if getattr(part, "name", "") == "__init__"]
    match [inner for part in inits if isinstance(part, Function) for inner in part.body]:
        # A second statement may decide otherwise.
        case [ast.Expr(value=ast.Call(func=ast.Attribute(attr="__init__")) as call)]:
            return is_constant(keyword_of(call, OPTION), value=False)
    return False


def options_in(project: Project, module: Module, node: ast.expr) -> dict[str, ast.expr] | None:
    """Return the options in a mapping that is unpacked; None if they are not all visible."""
    match node:
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            nodes = {
                key.value: value
                for key, value in pairs
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            }
            return nodes if len(nodes) == len(keys) else None
        case ast.Call(func=ast.Name(id="dict"), args=[]) if all(
            keyword.arg is not None for keyword in node.keywords
        ):
            return {part.arg: part.value for part in node.keywords if part.arg is not None}
        case ast.Name():
            return _named_options(project, module, node)
    return None


def _named_options(project: Project, module: Module, node: ast.Name) -> dict[str, ast.expr] | None:
    binding = module.scopes.only_binding(node)
    if binding is None or binding.kind != "assignment" or binding.value is None:
        return None
    # Other files may change what they can import.
    is_own = binding.scope.kind != "module"
    if not is_own and project.files_with((node.id.encode(),)) != [module.path]:
        return None
    reads = module.scopes.reads_of(node)
    if not all(isinstance(module.parent(read), ast.keyword) for read in reads):
        return None
    if isinstance(binding.value, ast.Name):
        return None
    return options_in(project, module, binding.value)


class Options(Struct, frozen=True, forbid_unknown_fields=True):
    """Whether synchronous sessions get the argument as well: there it changes what is read."""

    sync: Annotated[
        bool, Meta(description="Also set the argument on synchronous sessions and their factories.")
    ] = False


class ExpireOnCommit(Rule):
    """Adds ``expire_on_commit=False`` to sessions and their factories."""

    name = "expire-on-commit"
    family = "sqlalchemy"
    phase = Phase.SESSIONS
    since = "0.1.0"
    triggers = (*WORDS, OPTION.encode())
    anchors = ((b"sqlalchemy", b"sqlmodel"),)
    needs: ClassVar[Mapping[str, str]] = {"sqlalchemy": ">=1.4"}
    status = Status.OPT_IN
    options = Options
    reasons = reasons.ALL

    def plan(self, project: Project, constraints: Constraints) -> Plan:
        """Return one finding per session or factory that expires its objects, and its change."""
        options = constraints.options if isinstance(constraints.options, Options) else Options()
        modules = [module.path for module in site_modules(project, self.triggers)]
        return plan_of(_Planner(self.name, project, options).all(modules))


class _Planner:
    """Decides the sites of one program; common facts of all shared sessions are computed once."""

    def __init__(self, rule: str, project: Project, options: Options) -> None:
        self._rule = rule
        self._project = project
        self._options = options
        self._loads: dict[Later, None] = {}
        self._variables: set[Place] = set()
        self._kept = kept_names(project)

    def all(self, paths: list[str]) -> Iterator[Decided]:
        makers = (makers_in(self._project, item) for item in self._project.modules_at(paths))
        held = (_only_variable(maker) for each in makers for maker in each)
        self._variables |= {place for place in held if place is not None}
        for module in self._project.modules_at(paths):
            yield from self._in_file(module)
        yield from _reloads(self._rule, self._project, self._loads)

    def _in_file(self, module: Module) -> Iterator[Decided]:
        for maker in makers_in(self._project, module):
            if (maker.is_async or self._options.sync) and not self._is_decided(maker):
                site = Site(self._rule, module, maker.call)
                yield decide(site, self._rewrite, maker)
        if OPTION.encode() in module.source.text:
            yield from self._others(module)

    def _others(self, module: Module) -> Iterator[Decided]:
        """Yield the caveats of ``configure`` and of attributes that are set."""
        for node in module.walk():
            if is_constant(configured_node(self._project, module, node), value=True):
                refused = Refused(reasons.ON_PURPOSE)
                yield refused_together((Site(self._rule, module, node),), refused)
            match node:
                case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)]) if name == OPTION:
                    proof = self._project.orm.session_of(module, owner)
                    if getattr(proof, "kind", "") == "async":
                        refused = Refused(reasons.NO_EFFECT)
                        yield refused_together((Site(self._rule, module, node),), refused)

    def _is_decided(self, maker: Maker) -> bool:
        """Whether the sessions keep what they loaded: here, in a mapping, or by ``configure``."""
        told_by = maker.configured_by
        # The callee of its argument is a site of its own.
        if told_by and any(keyword.arg in {told_by, None} for keyword in maker.call.keywords):
            return True
        if is_constant(maker.expiry_argument, value=False) or name_of(maker) in self._kept:
            return True
        project, module = self._project, maker.module
        if keeps_by_init(project, maker):
            return True
        given = (options_in(project, module, node) or {} for node in maker.unpacked_mappings)
        return any(is_constant(argument.get(OPTION), value=False) for argument in given)

    def _rewrite(self, site: Site[ast.Call], maker: Maker) -> Rewrite:
        """Return the rewrite by which a session keeps its loaded values. Raises Refused."""
        self._check(maker)
        known = self._staleness(maker)
        if maker.is_async:
            self._loads |= dict.fromkeys(known.loads)
        said = "" if known.caveats else "; the program reads no loaded object after a commit"
        return Rewrite(
            f"`{maker.shown}(...)` gets `{OPTION}=False`{said}{self._expiring(maker)}",
            [site.add_keyword(maker.call, OPTION, "False")],
            known.caveats,
            known.places,
        )

    @cached_by(lambda maker: maker.is_async if _only_variable(maker) is None else maker)
    def _staleness(self, maker: Maker) -> Staleness:
        return staleness(self._project, maker, self._variables)

    def _expiring(self, maker: Maker) -> str:
        """Return what a factory's sessions go on to expire, which is not for this option to say."""
        return self._rolled_back if maker.is_factory and maker.is_async else ""

    @cached_property
    def _rolled_back(self) -> str:
        return _expired_all_the_same(self._project)

    def _check(self, maker: Maker) -> None:
        """Raise Refused where something else decides whether objects expire."""
        project, module = self._project, maker.module
        if maker.configured_by:
            raise Refused(reasons.EXTENSION, maker.shown)
        given = {} if maker.expiry_argument is None else {OPTION: maker.expiry_argument}
        for node in maker.unpacked_mappings:
            inside = options_in(project, module, node)
            if inside is None:
                raise Refused(reasons.UNSEEN_OPTIONS, module.excerpt(node))
            given |= inside
        said = given.get(OPTION)
        if is_constant(said, value=True):
            raise Refused(reasons.ON_PURPOSE)
        if said is not None:
            raise Refused(reasons.CHOSEN, module.excerpt(said))
        if own_init(project, maker):
            raise Refused(reasons.OWN_CLASS, maker.own_class.rpartition(".")[2])


def _reloads(rule: str, project: Project, loads: Iterable[Later]) -> Iterator[Decided]:
    """Yield the decision on each load; a load with an unknown statement is left alone."""
    for event in {load.place: load for load in loads if load.is_clean}.values():
        sites = [Site(rule, *pair) for pair in project.calls_at(event.place)]
        edit = _edit(project, sites[0]) if len(sites) == 1 else None
        if edit is not None and not sites[0].module.in_fstring(sites[0].node):
            yield decide(sites[0], _rewrite, project, event, edit)


def _rewrite(site: Site[ast.Call], project: Project, load: Later, edit: Edit) -> Rewrite:
    return Rewrite(
        f"after the commit at {shown_place(project, load.commit)}, "
        f"`{site.module.excerpt(site.node)}` gets `{_OPTION}=True`, so that it still "
        "refreshes objects that no longer expire",
        [edit],
        [_CAVEAT],
        (load.commit,),
    )


def _edit(project: Project, site: Site[ast.Call]) -> Edit | None:
    reload = project.orm.commits.reloads.reload_by(site.module, site.node)
    if reload is None or not reload.is_certain:
        return None
    if reload.by_key:
        return site.add_keyword(site.node, _OPTION, "True")
    if not isinstance(reload.statement, ast.Call | ast.Name):
        return None
    return site.insert_behind(reload.statement, f".execution_options({_OPTION}=True)")


class Staleness(Struct, frozen=True):
    """The known reads of objects of some sessions after a commit.

    ``caveats`` are empty where nothing of before is read. ``places`` are those that are named.
    """

    caveats: tuple[str, ...]
    places: tuple[Place, ...]
    loads: tuple[Later, ...]


def staleness(project: Project, maker: Maker, variables: Collection[Place]) -> Staleness:
    """Return what stays as it was after the commits of the sessions that a call makes.

    Where it is not known which sessions commit, all count but those in ``variables``: other calls
    make those.
    """
    commits = project.orm.commits
    bound = _only_variable(maker)
    if bound is not None:
        around = maker.module.enclosing_function(maker.call)
        span = maker.module.span(around or maker.call)
        own = [one for one in commits.all() if one.session == bound or _is_inside(one, bound, span)]
        return _staleness_of(project, commits.later_of_own(own))
    same = (commit for commit in commits.all() if commit.is_async == maker.is_async)
    return _staleness_of(
        project, commits.events_after([item for item in same if item.session not in variables])
    )


def _expired_all_the_same(project: Project) -> str:
    """Return the clause that names the reads after a rollback; empty without any."""
    commits = project.orm.commits
    events = [commit for commit in commits.expiring() if commit.is_async]
    reads = commits.read_in_functions(events)
    if not reads:
        return ""
    return f"; a rollback still expires {_listed_text(project, reads)}"


def _is_inside(commit: Commit, bound: Place, span: Span) -> bool:
    """Whether it is not known which session a commit in the same function is of."""
    inside = span.start <= commit.place.span.start < span.end
    return commit.session is None and commit.place.path == bound.path and inside


def _staleness_of(project: Project, later: Sequence[Later]) -> Staleness:
    reads = [event for event in later if event.kind == "read"]
    stores = [event for event in later if event.kind == "store"]
    loads = [event for event in later if event.kind == "load"]
    caveats: list[str] = []
    if reads:
        caveats.append(
            f"after a commit, {_listed_text(project, reads)} {_keeps(reads)} before the commit"
        )
    if stores:
        gets = "is" if len({store.place for store in stores}) == 1 else "are"
        caveats.append(
            f"after a commit, {_listed_text(project, stores)} {gets} set, and written only with "
            "a value that differs from before the commit"
        )
    if loads:
        gives = "returns" if len({load.place for load in loads}) == 1 else "return"
        caveats.append(
            f"after a commit, {_listed_text(project, loads)} {gives} loaded objects unchanged, "
            "unless `populate_existing` is set"
        )
    named = [*reads, *stores, *loads]
    if not named:
        named = [event for event in later if event.kind == "unknown"][:1]
        caveats += [
            (
                f"the program may read a loaded object after a commit: {event.what} "
                f"({shown_place(project, event.place)})"
            )
            for event in named
        ]
    places = tuple(dict.fromkeys(event.place for event in named))
    return Staleness(tuple(caveats), places[:SHOWN], tuple(loads))


def _keeps(reads: Sequence[Later]) -> str:
    is_single = len({read.place for read in reads}) == 1
    return "keeps the values from" if is_single else "keep the values from"


def _listed_text(project: Project, found: Iterable[Later]) -> str:
    places = {event.place: event.what for event in found}
    said = [f"`{what}` ({shown_place(project, place)})" for place, what in places.items()]
    more = len(said) - SHOWN
    if more > 0:
        return f"{', '.join(said[:SHOWN])} and {more} more"
    return joined_words(said)


def _only_variable(maker: Maker) -> Place | None:
    """Return the place of a variable that alone holds the session, which nothing else gets."""
    module = maker.module
    target = module.variable_of(maker.call)
    if target is None:
        return None
    scope = module.scopes.scope_of(target)
    is_only = scope.kind == "function" and len(scope.bindings_of(target.id)) == 1
    if maker.is_factory or not is_only:
        return None
    reads = [name for each in module.scopes.scopes for name in each.reads.get(target.id, [])]
    same = [one for one in reads if any(b.node is target for b in module.scopes.bindings_of(one))]
    return module.place(target) if all(_is_receiver(module, name) for name in same) else None


def _is_receiver(module: Module, node: ast.Name) -> bool:
    """Whether only a method of the session is called, or its block is entered."""
    if isinstance(module.parent(node), ast.withitem):
        return True
    call = module.method_call_on(node)
    # Functions that `run_sync` runs also receive the session.
    return call is not None and last_name(call.func) != "run_sync"

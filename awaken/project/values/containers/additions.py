"""Additions to a container after it was built.

Every read of the variable or attribute that holds it is looked at: it puts something in, it only
looks, or it hands the container on to where that cannot be seen. Then the container may hold
anything, which is said by an unknown item.

A library that is passed a container puts nothing of its own into it: this is assumed, the few
functions apart whose purpose it is.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from awaken.knowledge.library_names import library_names, name_list
from awaken.knowledge.schemas import schema_knowledge
from awaken.project.source.bindings import Scope
from awaken.project.source.expressions.expression_uses import (
    Way,
    is_unpacked_in,
    targets_of,
    use_of,
)
from awaken.project.source.memo import cached_method
from awaken.project.source.modules import Module
from awaken.project.source.trees import (
    Function,
    FunctionOrLambda,
    parameter_getting,
    positional_parameters,
)
from awaken.project.source.worklist import MOST_FILES
from awaken.project.values.containers.built_containers import joined_contents
from awaken.project.values.domain import (
    DEEPEST,
    MOST_CALLS,
    ClassOf,
    Environment,
    External,
    FunctionOf,
    InstanceOf,
    NotRelevant,
    Producer,
    Session,
    TupleOf,
    Value,
    Values,
    union,
)
from awaken.project.values.items import DICTS, MUTABLE, STR, is_growing
from awaken.project.values.questions import EvaluatorPart, Questions

_LOOKING = name_list("adding_nothing")
_ASKING = name_list("asking_containers")
_LOOKING_ON = {"awaited", "compared", "deleted", "dropped", "formatted", "index", "tested"}
"""Uses of a container that put nothing in, and hand it to nobody."""
_HANDING_ALL_OUT = {"values", "items", "copy", "union", "intersection", "difference"}
_HANDING_ONE_OUT = name_list("giving_an_item") | {"popitem"}
_PUTTING_ONE = {**dict.fromkeys(name_list("filling_methods"), 0), **library_names().adding_methods}
_PUTTING_ALL = library_names().joining_methods
_FILLED = MUTABLE | name_list("filled_objects")
_PUTTING_SECOND = {"heapq.heappush", "heapq.heappushpop", "bisect.insort", "bisect.insort_left"}
_PUTTING_SECOND |= {"heapq.heapreplace", "bisect.insort_right"}

_OWN_WAYS = {"__init__", "__new__", "model_post_init", "__get_pydantic_core_schema__"}
"""Methods by which a model of Pydantic's may keep what it is given."""

_SHARED = "?"
"""The owner of what an object may have from another that calls it by the same name."""

Put = Literal["item", "all", "passed", "unknown"]
_Part = Literal["keys", "items"]


class Addition(Struct, frozen=True):
    """Something that is put in: as one ``item``, as ``all`` that iterating it gives, or unseen.

    ``depth`` is 0 for the container itself, 1 for the containers in it. ``passed`` is a call that
    is given the container as ``node``, and may put something in. ``iterated`` are the depths at
    which it was got by iterating: of a mapping that gives keys. ``owner`` is the class of which the
    container is an attribute, empty where that is not read off.
    """

    put: Put
    depth: int
    module: Module
    node: ast.expr | ast.Module
    key: ast.expr | None = None
    call: ast.Call | None = None
    iterated: tuple[int, ...] = ()
    owner: str = ""


class _PassedOn(Struct, frozen=True):
    """A call that is given the container, after so many other ``calls``."""

    addition: Addition
    call: ast.Call
    calls: int
    entered: set[Hashable]


class Additions(EvaluatorPart):
    """Finds what is put into the containers that variables and attributes hold."""

    def to_variable(
        self, found: Values, module: Module, scope: Scope, name: str, known: Environment
    ) -> Values:
        """Return ``found``, the values of a variable, with what is put into them."""
        if not any(map(is_growing, found)):
            return found
        is_local = scope is not module.scopes.module
        additions = self._of_variable(module, scope, name, 0, is_local=is_local)
        return self._grown(found, list(self._seen_in(additions)), known)

    def to_global(self, found: Values, module: Module, name: str) -> Values:
        """Return ``found``, the values of a module's own name, with what is put into them."""
        if not any(map(is_growing, found)):
            return found
        own = self._of_variable(module, module.scopes.module, name, 0, is_local=False)
        # No object is a module.
        others = self._additions_in_other_files(
            module, name, lambda owner: not self._evaluator.classes.has_own(owner, name)
        )
        return self._grown(found, list(self._seen_in((*own, *others))), ())

    def to_attribute(self, found: Values, module: Module, name: str) -> Values:
        """Return ``found``, what a class of ``module`` gives its attribute ``name``, filled."""
        if not any(map(is_growing, found)):
            return found
        own = self._of_attribute(module, name)
        others = self._additions_in_other_files(
            module, name, lambda owner: self._may_be(owner, module, name)
        )
        return self._grown(found, list(self._seen_in((*own, *others))), ())

    def _may_be(self, owner: str, module: Module, name: str) -> bool:
        """Whether what an object of ``owner`` calls ``name`` may be of a class of ``module``."""
        if not self._evaluator.classes.has_own(owner, name):
            return True
        classes = self._evaluator.classes
        lines = [classes.ancestors(word) for word in (owner, *classes.all_subclasses(owner))]
        return any(
            line is None
            or bool(line.unresolved)
            or any(facts.path == module.path for facts in line.inside)
            for line in lines
        )

    def _additions_in_other_files(
        self, module: Module, name: str, may_be_of: Callable[[str], bool]
    ) -> Iterator[Addition]:
        """Yield what other files put into what may be the container, by its name.

        ``may_be_of`` says whether it may be that attribute of the objects of a class.
        """
        paths = self._evaluator.files_naming(name)
        others = [] if paths is None else [path for path in paths if path != module.path]
        if paths is None or len(others) > MOST_FILES:
            for depth in range(DEEPEST):
                yield Addition("unknown", depth, module, module.tree)
            return
        own = {addition.owner for addition in self._of_attribute(module, name)}
        by_file = self._owners_by_file(name)
        owners = own.union(*by_file.values()) - {""}
        if _SHARED not in owners:
            owners = {owner for owner in owners if may_be_of(owner)}
        owners.add("")
        adding = (path for path in others if not owners.isdisjoint(by_file.get(path, ())))
        for file in self._evaluator.modules_at(adding):
            additions = self._of_attribute(file, name)
            yield from (addition for addition in additions if addition.owner in owners)

    @cached_method
    def _owners_by_file(self, name: str) -> dict[str, set[str]]:
        """Return the owners of what each file puts into attributes called ``name``.

        Many classes ask, and a large program does not keep the trees of all files in between.
        """
        files = self._evaluator.names.facts.mentioning(
            name, self._evaluator.files_naming(name) or ()
        )
        return {
            file.path: {addition.owner for addition in self._of_attribute(file, name)}
            for file in files
        }

    def _of_variable(
        self, module: Module, scope: Scope, name: str, depth: int, *, is_local: bool
    ) -> list[Addition]:
        key = ("additions", scope, name, depth, is_local)
        uses = _Uses(self._evaluator, is_local=is_local)
        return _kept_additions(module, key, lambda: uses.of_variable(module, scope, name, depth))

    def _of_attribute(self, module: Module, name: str) -> list[Addition]:
        uses = _Uses(self._evaluator, is_local=False)
        return _kept_additions(module, ("additions", name), lambda: uses.of_objects(module, name))

    # -------------------------------------------------------------------- what it is passed to
    def _seen_in(self, additions: Iterable[Addition]) -> Iterator[Addition]:
        """Yield ``additions``, with what the called functions add in place of their calls."""
        return self._additions_after(additions, 0, set())

    def _additions_after(
        self, additions: Iterable[Addition], calls: int, entered: set[Hashable]
    ) -> Iterator[Addition]:
        """Yield what is added after so many ``calls``; each function of ``entered`` is done."""
        for addition in additions:
            if addition.call is None:
                yield addition
                continue
            for function in self._evaluator.values(addition.module, addition.call.func):
                call = _PassedOn(addition, addition.call, calls, entered)
                yield from self._additions_of_call(function, call)

    def _additions_of_call(self, function: Value, passed: _PassedOn) -> Iterator[Addition]:
        addition, call = passed.addition, passed.call
        match function:
            case External() | Session() | NotRelevant():
                return
            case InstanceOf(qualified=name) | ClassOf(qualified=name) if (
                self._evaluator.classes.facts(name) is None
            ):
                return
            case FunctionOf() if passed.calls < MOST_CALLS:
                node, bound = function.node, int(function.bound is not None)
                parameter = parameter_getting(call, node, addition.node, bound)
                if parameter is not None:
                    # Its result goes to the caller, which is ignored.
                    yield from self._additions_in(function.module, node, parameter, passed)
                    return
            case ClassOf(qualified=name) if self._copies(name, call, addition.node):
                return
        yield Addition(
            "unknown", addition.depth, addition.module, addition.node, iterated=addition.iterated
        )

    def _additions_in(
        self, module: Module, function: FunctionOrLambda, parameter: ast.arg, passed: _PassedOn
    ) -> Iterator[Addition]:
        """Yield what ``function`` adds to the container that ``parameter`` gets."""
        depth, iterated = passed.addition.depth, passed.addition.iterated
        key = (parameter, depth, iterated)
        # One that calls itself adds the same each time.
        if key in passed.entered:
            return
        passed.entered.add(key)
        scope = module.scopes.scope_made_by(function)
        inner = self._of_variable(module, scope, parameter.arg, depth, is_local=False)
        for more in self._additions_after(inner, passed.calls + 1, passed.entered):
            depths = dict.fromkeys((*more.iterated, *iterated))
            yield replace(more, iterated=tuple(depths))

    def _copies(self, qualified: str, call: ast.Call, node: ast.AST) -> bool:
        """Whether an instance of a class of the program holds a copy of the container ``node``.

        Pydantic's models validate a container into a new one, if nobody writes how.
        """
        ancestors = self._evaluator.classes.ancestors(qualified)
        field = next((keyword.arg for keyword in call.keywords if keyword.value is node), None)
        if ancestors is None or ancestors.unresolved or field is None:
            return False
        bases = schema_knowledge().models.bases
        if not any(name in bases for name in ancestors.outside):
            return False
        if any(_OWN_WAYS & facts.members for facts in ancestors.inside):
            return False
        return any(self._declares_items(facts.qualified, field) for facts in ancestors.inside)

    def _declares_items(self, qualified: str, field: str) -> bool:
        """Whether a class says of what items a field is: without that it may stay as it is."""
        node = self._evaluator.classes.node(qualified)
        return node is not None and any(
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.annotation, ast.Subscript | ast.BinOp)
            and isinstance(statement.target, ast.Name)
            and statement.target.id == field
            for statement in node[1].body
        )

    # ------------------------------------------------------------------------------- growing
    def _grown(
        self, values: Values, additions: Sequence[Addition], known: Environment, depth: int = 0
    ) -> Values:
        if not additions:
            return values
        return union(*((self._one(value, additions, known, depth),) for value in values))

    def _one(
        self, value: Value, additions: Sequence[Addition], known: Environment, depth: int
    ) -> Value:
        match value:
            case InstanceOf(qualified=name, parameters=[*parameters]) if parameters:
                named = value.named
                if value.grows and name in _FILLED:
                    own = [addition for addition in additions if addition.depth == depth]
                    parameters = self._values_with(parameters, own, known, is_dict=name in DICTS)
                    named = tuple(self._named_with(named, own, known))
                inside = _below(additions, depth)
                if name in DICTS:
                    inside = [item for item in inside if depth not in item.iterated]
                inner = self._grown(parameters[-1], inside, known, depth + 1)
                held = ((key, self._grown(each, inside, known, depth + 1)) for key, each in named)
                return replace(value, parameters=(*parameters[:-1], inner), named=tuple(held))
            case TupleOf():
                inside = _below(additions, depth)
                items = (self._grown(item, inside, known, depth + 1) for item in value.items)
                return TupleOf(tuple(items))
            case Producer():
                return replace(value, inner=self._grown(value.inner, additions, known, depth))
        return value

    def _values_with(
        self,
        parameters: Sequence[Values],
        additions: Sequence[Addition],
        known: Environment,
        *,
        is_dict: bool,
    ) -> list[Values]:
        *keys, items = parameters
        if keys:
            keys[0] = union(keys[0], self._all_put("keys", additions, known, is_dict=is_dict))
        return [*keys, union(items, self._all_put("items", additions, known, is_dict=is_dict))]

    def _all_put(
        self, part: _Part, additions: Sequence[Addition], known: Environment, *, is_dict: bool
    ) -> Values:
        """Return the keys or the items that ``additions`` put in, all together."""

        def all_values() -> Values:
            # All at once: one after the other takes the square of their number.
            return union(*(self._put(part, item, known, is_dict=is_dict) for item in additions))

        places = {item.module for item in additions}
        if known or len(places) != 1 or len(additions) == 1:
            return all_values()
        # Each read of a variable asks for what is put in anywhere.
        key = ("put", part, is_dict, *((item.put, item.node, item.key) for item in additions))
        module, node = additions[0].module, additions[0].node
        return self._evaluator.solve(key, module, node, all_values, "tree")

    def _named_with(
        self, named: Sequence[tuple[str, Values]], additions: Sequence[Addition], known: Environment
    ) -> Iterator[tuple[str, Values]]:
        """Yield what each key of a dictionary holds; nothing if any may be put in."""
        put_in: dict[object, Values] = {}
        for addition in additions if named else ():
            match addition:
                case Addition(
                    put="item", key=ast.Constant(value=str() as key), node=ast.expr() as node
                ):
                    put_in[key] = union(
                        put_in.get(key, ()), self._evaluator.values(addition.module, node, known)
                    )
                case _:
                    return
        for key, values in named:
            yield key, union(values, put_in.get(key, ()))

    def _put(self, part: _Part, item: Addition, known: Environment, *, is_dict: bool) -> Values:
        """Return the keys or the items that one addition puts in."""
        evaluator, module, node = self._evaluator, item.module, item.node
        if item.put == "unknown":
            return (evaluator.unknown(module, node, "some of its items are unknown"),)
        if isinstance(node, ast.Module):
            return ()
        if item.put == "item" and part == "keys":
            # Of a list, nobody asks at which index.
            if item.key is None or not is_dict:
                return (STR,)
            return evaluator.values(module, item.key, known)
        values = evaluator.values(module, node, known)
        if item.put == "item":
            return values
        if is_dict:
            return joined_contents(values, module, node)[part == "items"]
        return () if part == "keys" else evaluator.iterated_values(values, module, node)


def _below(additions: Sequence[Addition], depth: int) -> list[Addition]:
    """Return what is put into the containers inside of one at ``depth``."""
    return [addition for addition in additions if addition.depth > depth]


_Kept = tuple[
    Put, int, ast.expr | ast.Module, ast.expr | None, ast.Call | None, tuple[int, ...], str
]
"""An addition without its file."""


def _kept_additions(
    module: Module, key: Hashable, find: Callable[[], Iterable[Addition]]
) -> list[Addition]:
    """Return what is put in by the code of ``module``, which is found once for each tree."""

    def parts() -> list[_Kept]:
        return [
            (item.put, item.depth, item.node, item.key, item.call, item.iterated, item.owner)
            for item in find()
        ]

    return [
        Addition(put, depth, module, node, part, call, iterated, owner)
        for put, depth, node, part, call, iterated, owner in module.memoize(key, parts)
    ]


class _Uses:
    """Looks at all that is done with what a variable or an attribute holds."""

    def __init__(self, evaluator: Questions, *, is_local: bool) -> None:
        self._evaluator = evaluator
        self._is_local = is_local
        self._seen: set[tuple[object, ...]] = set()
        self._is_shared = False

    def of_objects(self, module: Module, name: str) -> list[Addition]:
        """Return what is put into an attribute, and whether two objects may share what it holds."""
        additions = list(self.of_attribute(module, name))
        if self._is_shared:
            # It puts nothing in, and says so.
            additions.append(Addition("item", 0, module, module.tree, owner=_SHARED))
        return additions

    def of_variable(
        self, module: Module, scope: Scope, name: str, depth: int = 0
    ) -> Iterator[Addition]:
        # `x = x[0]` in a loop goes one deeper each time.
        if depth >= DEEPEST or (scope, name, depth) in self._seen:
            return
        self._seen.add((scope, name, depth))
        for read in module.scopes.reads_in(scope, name):
            yield from self._use(module, read, depth)

    def of_attribute(self, module: Module, name: str, depth: int = 0) -> Iterator[Addition]:
        if depth >= DEEPEST or (module.path, name, depth) in self._seen:
            self._is_shared = True
            return
        self._seen.add((module.path, name, depth))
        for node in module.mentions(name):
            match node:
                case ast.Attribute(ctx=ctx, attr=attribute) if attribute == name:
                    is_used = isinstance(ctx, ast.Load)
                    is_used = is_used or isinstance(module.parent(node), ast.AugAssign)
                case ast.Name(ctx=ast.Load()):
                    bindings = module.scopes.bindings_of(node)
                    is_used = any(binding.kind == "import" for binding in bindings)
                case ast.alias(asname=str() as other) if other != name:
                    # By another name it may be filled as well, which is not looked at.
                    yield Addition("unknown", depth, module, module.tree)
                    continue
                case _:
                    continue
            if is_used:
                owner = class_of_receiver(module, node)
                yield from (replace(item, owner=owner) for item in self._use(module, node, depth))

    def _use(self, module: Module, node: ast.expr, depth: int) -> Iterator[Addition]:  # noqa: C901  one case a way
        way, above = use_of(module, node)
        match way:
            case "attribute":
                yield from self._attribute(module, above, depth)
            case "item":
                yield from self._subscript(module, above, depth)
            case "iterated":
                for addition in self._loop(module, above.target, depth):
                    yield replace(addition, iterated=(*addition.iterated, depth))
            case "argument":
                yield from self._passed_additions(module, above, node, depth)
            case "bound" | "same":
                for target in targets_of(above):
                    yield from self._alias(module, target, node, depth)
                if way == "same":
                    yield from self._use(module, above, depth)
            case "operand" if isinstance(above, ast.AugAssign) and above.target is node:
                yield Addition("all", depth, module, above.value)
            case "element" | "operand" | "unpacked" if _shares_items(above, node, way):
                yield Addition("unknown", depth + 1, module, node)
            case _ if way not in _LOOKING_ON and not self._is_returned(module, above):
                if not isinstance(above, ast.UnaryOp):
                    yield Addition("unknown", depth, module, node)

    def _is_returned(self, module: Module, above: ast.AST) -> bool:
        """Whether the function returns it, alone or in displays: callers have it then."""
        while isinstance(above, ast.Tuple | ast.List | ast.Set | ast.Dict):
            above = module.parent(above) or module.tree
        return self._is_local and isinstance(above, ast.Return)

    def _attribute(self, module: Module, node: ast.Attribute, depth: int) -> Iterator[Addition]:
        call, name = module.call_of(node), node.attr
        if call is None:
            yield Addition("unknown", depth, module, node)
            return
        if any(isinstance(argument, ast.Starred) for argument in call.args):
            yield Addition("unknown", depth, module, call)
        elif name in _PUTTING_ONE and len(call.args) > _PUTTING_ONE[name]:
            yield Addition("item", depth, module, call.args[_PUTTING_ONE[name]])
        elif name in _PUTTING_ALL:
            yield from (Addition("all", depth, module, argument) for argument in call.args)
            for keyword in call.keywords:
                put: Put = "all" if keyword.arg is None else "item"
                yield Addition(put, depth, module, keyword.value)
        elif name in _HANDING_ONE_OUT:
            if name == "setdefault" and len(call.args) == 2:  # noqa: PLR2004  key and value
                yield Addition("item", depth, module, call.args[1], call.args[0])
            yield from self._use(module, call, depth + 1)
        elif name in _HANDING_ALL_OUT:
            yield from self._handed_out(module, call, name, depth)
        elif name not in _LOOKING:
            yield Addition("unknown", depth, module, call)

    def _handed_out(
        self, module: Module, call: ast.Call, name: str, depth: int
    ) -> Iterator[Addition]:
        above = module.parent(call)
        if isinstance(above, ast.For | ast.AsyncFor | ast.comprehension) and above.iter is call:
            target = above.target
            if name == "items" and isinstance(target, ast.Tuple) and len(target.elts) == 2:  # noqa: PLR2004
                target = target.elts[1]
            yield from self._loop(module, target, depth)
        else:
            yield Addition("unknown", depth + 1, module, call)

    def _subscript(self, module: Module, node: ast.Subscript, depth: int) -> Iterator[Addition]:
        above = module.parent(node)
        if isinstance(node.ctx, ast.Del):
            return
        if isinstance(node.slice, ast.Slice):
            if isinstance(above, ast.Assign):
                yield Addition("all", depth, module, above.value)
            else:
                yield Addition("unknown", depth + isinstance(node.ctx, ast.Load), module, node)
        elif isinstance(node.ctx, ast.Load):
            yield from self._use(module, node, depth + 1)
        elif isinstance(above, ast.Assign):
            yield Addition("item", depth, module, above.value, node.slice)
        elif isinstance(above, ast.AugAssign):
            yield Addition("item", depth, module, above.value, node.slice)
            yield Addition("all", depth + 1, module, above.value)
        else:
            yield Addition("unknown", depth, module, node)

    def _loop(self, module: Module, target: ast.expr, depth: int) -> Iterator[Addition]:
        """The values of a loop's variable are in the container."""
        yield from self._alias(module, target, target, depth + 1)

    def _alias(
        self, module: Module, target: ast.expr, node: ast.expr, depth: int
    ) -> Iterator[Addition]:
        """The container is known by another name as well."""
        scope = module.scopes.scope_of(target)
        match target:
            case ast.Name() if (owner := module.scopes.owner(target.id, scope)) is not None:
                yield from self.of_variable(module, owner, scope.mangled_name(target.id), depth)
            case ast.Attribute() if target.attr.startswith("_"):
                yield from self.of_attribute(module, target.attr, depth)
            case _:
                yield Addition("unknown", depth, module, node)

    def _passed_additions(
        self, module: Module, call: ast.Call, node: ast.expr, depth: int
    ) -> Iterator[Addition]:
        name = self._evaluator.names.qualified_name(module, call.func)
        if name in _ASKING:
            return
        if name is not None and name.startswith("builtins."):
            yield Addition("unknown", depth + 1, module, node)
        elif name in _PUTTING_SECOND and len(call.args) > 1:
            yield Addition("item", depth, module, call.args[1])
        else:
            yield Addition("passed", depth, module, node, call=call)


def _shares_items(above: ast.AST, node: ast.expr, way: Way) -> bool:
    """Whether a new container shares the items of ``node``."""
    if way == "element":
        return is_unpacked_in(above, node)
    return not isinstance(above, ast.UnaryOp | ast.AugAssign)


def class_of_receiver(module: Module, node: ast.expr) -> str:
    """Return the class of the method of which ``node`` reads an attribute of ``self``, or ""."""
    value = node.value if isinstance(node, ast.Attribute) else None
    binding = module.scopes.only_binding(value)
    function = None if binding is None else binding.scope.node
    if binding is None or not isinstance(function, Function) or function.decorator_list:
        return ""
    owner = module.scopes.scope_of(function).node
    is_first = positional_parameters(function)[:1] == [binding.node]
    if not isinstance(owner, ast.ClassDef) or not is_first:
        return ""
    return module.full_name(owner)

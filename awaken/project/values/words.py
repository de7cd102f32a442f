"""Values in words, as a reader can check them against the source."""

from __future__ import annotations

from awaken.project.values.domain import (
    ClassOf,
    DeclarativeBase,
    External,
    FunctionOf,
    InstanceOf,
    ModuleOf,
    NoneValue,
    NotRelevant,
    Producer,
    Session,
    TupleOf,
    Unknown,
    Value,
    Values,
)

_PRODUCERS = {
    "callable": "a callable that returns",
    "manager": "a context manager that gives",
    "generator": "a generator of",
    "coroutine": "a coroutine that returns",
    "awaitable": "an awaitable that gives",
    "factory": "a factory that makes",
}


def in_words(value: Value) -> str:
    """Return what ``value`` is, as a noun phrase."""
    match value:
        case Producer():
            return f"{_PRODUCERS[value.how]} {_one_of(value.inner)}"
        case InstanceOf():
            return f"an instance of `{value.qualified}`{_holding(value)}"
        case TupleOf():
            return f"a tuple of ({', '.join(map(_one_of, value.items))})"
        case FunctionOf():
            return f"the function {_where(value)}"
        case NoneValue():
            return "None"
        case Unknown():
            return f"unknown ({value.why})"
        case _:
            return _of_name(value)


def _of_name(value: Value) -> str:
    match value:
        case Session():
            return f"a session of SQLAlchemy ({value.kind})"
        case ClassOf():
            return f"the class `{value.qualified}`"
        case ModuleOf():
            return f"the module {value.path}"
        case External():
            return f"`{value.qualified}` of a library"
        case DeclarativeBase():
            return "a base of mapped classes"
        case NotRelevant():
            return f"{value.what} of no certain class"
        case _:
            return "something else"


def _one_of(values: Values) -> str:
    return " or ".join(dict.fromkeys(map(in_words, values))) or "nothing"


def _holding(value: InstanceOf) -> str:
    if not value.parameters:
        return ""
    return f" with [{'; '.join(map(_one_of, value.parameters))}]"


def _where(value: FunctionOf) -> str:
    name = getattr(value.node, "name", "lambda")
    return f"`{name}` ({value.module.path}:{value.node.lineno})"

"""The engines of a program: the calls that make one, and what each is given."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from awaken.knowledge import knowledge
from awaken.project.frameworks.sqlalchemy.engines.engine_facts import Engine, Url, UrlText
from awaken.project.frameworks.sqlalchemy.engines.engine_urls import UrlReader
from awaken.project.frameworks.sqlalchemy.engines.url_sources import settings_written
from awaken.project.graph.evaluator import ProgramEvaluator
from awaken.project.source.modules import Module
from awaken.project.source.trees import is_none, last_name

ENGINE_WORDS = (b"_engine", b"engine_from_config")
"""Of these one stands in every file that makes an engine."""

_ENVIRONMENT_WORDS = (b"environ", b"putenv", b"setenv")

_ASYNC_ENGINE = "sqlalchemy.ext.asyncio.AsyncEngine"
_FROM_CONFIG = "engine_from_config"


class Engines:
    """Answers for one program; keeps nothing between questions."""

    def __init__(self, evaluator: ProgramEvaluator) -> None:
        self._evaluator = evaluator
        self._urls = UrlReader(evaluator)

    def all(self) -> Iterator[Engine]:
        """Yield every engine that the program makes, file by file; tests are files, too."""
        for module in self._evaluator.modules_with(ENGINE_WORDS):
            yield from self.in_file(module)

    def in_file(self, module: Module) -> Iterator[Engine]:
        """Yield the engines that a file makes, in the order of the source."""
        known = knowledge().opens
        for node in module.nodes(ast.Call):
            # Resolving a name costs more than reading it: most calls are of something else.
            if "engine" not in last_name(node.func):
                continue
            name = self._evaluator.names.qualified_name(module, node.func) or ""
            resource = known.get(name)
            if resource in {"async-engine", "engine"}:
                is_async = resource == "async-engine" or self._is_wrapped(module, node)
                yield Engine(module, node, name, is_async, name.endswith(_FROM_CONFIG))

    def url_of(self, engine: Engine) -> Url | None:
        """Return the URL of an engine; None where the call does not show it."""
        if engine.url is None:
            return None
        url = self._urls.url_of(engine.module, engine.url)
        said = UrlText("sqlite://", is_whole=False, place=engine.module.place(engine.url))
        may_be = all(text.text.startswith("sqlite") for text in url.texts) and not engine.is_async
        is_sqlite = bool(url.outside) and may_be and _has_argument_of_sqlite(engine)
        return Url((*url.texts, said)) if is_sqlite else url

    def _set_in_memory(self) -> set[str]:
        """Return the environment variables that the program sets to a database in memory."""
        return {
            name
            for module in self._evaluator.modules_with(_ENVIRONMENT_WORDS)
            for node in module.walk()
            for name, value in settings_written(self._evaluator.names, module, node)
            if any(text.is_in_memory for text in self._urls.url_of(module, value).texts)
        }

    def is_in_memory(self, engine: Engine) -> bool:
        """Whether the database of an engine is in memory, also where tests set a variable to that.

        The field of settings is the environment variable of that name.
        """
        if engine.url is None:
            return False
        url = self._urls.url_of(engine.module, engine.url)
        if any(text.is_in_memory for text in url.texts):
            return True
        outside = {source.name.rpartition(".")[2].upper() for source in url.outside}
        return bool(outside) and not outside.isdisjoint(self._set_in_memory())

    def pool_of(self, engine: Engine) -> str | None:
        """Return the name of the class of pools that an engine is given.

        Empty if it has none, None if it is unknown.
        """
        given = engine.options.get("poolclass")
        if given is None or is_none(given):
            return ""
        name = self._evaluator.names.qualified_name(engine.module, given)
        return None if name is None else name.rpartition(".")[2]

    def _is_wrapped(self, module: Module, call: ast.Call) -> bool:
        """Whether it is in ``AsyncEngine(create_engine(...))``."""
        above = module.parent(call)
        if not isinstance(above, ast.Call) or call not in above.args:
            return False
        return self._evaluator.names.qualified_name(module, above.func) == _ASYNC_ENGINE


def _has_argument_of_sqlite(engine: Engine) -> bool:
    """Whether an engine has an argument that only the driver of SQLite knows."""
    arguments = engine.options.get("connect_args")
    keys = arguments.keys if isinstance(arguments, ast.Dict) else ()
    return any(isinstance(key, ast.Constant) and key.value == "check_same_thread" for key in keys)

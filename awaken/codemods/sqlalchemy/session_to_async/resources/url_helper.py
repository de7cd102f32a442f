"""The function that gives a URL an asynchronous driver when a program runs."""

from __future__ import annotations

import ast

from awaken.contract import Edit, NeedImport
from awaken.kit.imports import imports_here
from awaken.kit.reasons import NAME_TAKEN
from awaken.kit.sites import Refused, Site

_NAME = "async_url"
_HELPER = '''\
def {name}(url: str | {type}) -> {type}:
    """Return the URL of a database with a driver for asyncio."""
    drivers = {drivers}
    parsed = {parse}(url)
    return parsed.set(drivername=drivers.get(parsed.get_backend_name(), parsed.drivername))
'''


def helper(site: Site[ast.expr], drivers: str) -> tuple[str, list[Edit]]:
    """Return the name of the function in the file of ``site``, and what brings it.

    Each of several engines brings it: any of them may be the only one that changes. One that an
    earlier run wrote serves as well.
    """
    module = site.module
    written_type, needs_type = _imported(site, "URL")
    parse, needs_parse = _imported(site, "make_url")
    code = _HELPER.replace("{type}", written_type).replace("{parse}", parse)
    code = code.replace("{drivers}", drivers)
    for one in module.tree.body:
        if isinstance(one, ast.FunctionDef) and one.name.startswith(_NAME):
            same = ast.parse(code.replace("{name}", one.name), filename="").body[0]
            if ast.dump(same) == ast.dump(one):
                return one.name, []
    name = module.scopes.fresh_name(_NAME)
    return name, [site.insert_after_imports(code.replace("{name}", name)), needs_type, needs_parse]


def _imported(site: Site[ast.expr], name: str) -> tuple[str, NeedImport]:
    """Return what ``sqlalchemy`` gives the file by a ``name``, or by another if that is taken."""
    module = site.module
    for one in module.tree.body:
        if isinstance(one, ast.ImportFrom) and one.module == "sqlalchemy" and not one.level:
            known = next((each for each in one.names if each.name == name), None)
            if known is not None:
                return known.asname or name, _needed(site, name, known.asname)
    try:
        imports_here(module, module.tree, name, {"sqlalchemy"}, Refused(NAME_TAKEN, name))
    except Refused:
        alias = "SQLAlchemyURL" if name == "URL" else f"sqlalchemy_{name}"
        alias = module.scopes.fresh_name(alias)
        return alias, _needed(site, name, alias)
    return name, _needed(site, name)


def _needed(site: Site[ast.expr], name: str, alias: str | None = None) -> NeedImport:
    path = site.module.path
    return NeedImport(path=path, module="sqlalchemy", name=name, alias=alias, site=site.id)

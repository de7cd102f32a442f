"""Console scripts: the functions that a distribution makes commands of."""

from __future__ import annotations

from awaken.workspace.formats.toml_text import tables_in, value_at

_TABLES = (("project", "scripts"), ("project", "gui-scripts"), ("tool", "poetry", "scripts"))


def console_scripts(pyproject: str) -> tuple[str, ...]:
    """Return what the scripts of a ``pyproject.toml`` call, as ``package.module.function``.

    PyPA, "Entry points specification"; Poetry, "The pyproject.toml file: scripts".
    """
    document = tables_in(pyproject)
    result: list[str] = []
    for path in _TABLES:
        table = value_at(document, path)
        for value in table.values() if isinstance(table, dict) else ():
            # Poetry takes a table as well, for an entry that is not a function of the package.
            reference = value.get("reference") if isinstance(value, dict) else value
            if isinstance(reference, str) and ":" in reference:
                home, _, name = reference.partition("[")[0].partition(":")
                result.append(f"{home.strip()}.{name.strip()}")
    return tuple(dict.fromkeys(result))

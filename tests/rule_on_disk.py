"""A rule whose module and cases stand in another checkout, and what its tests would say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from awaken.kit.rule import Rule
from awaken.testing import (
    LAWS,
    assert_expected,
    assert_page,
    laws_of,
    load_cases,
    page_cases,
    run_case,
)


class RuleOnDisk:
    """The rule ``family/name`` below ``root``; ``patch`` puts its module into place."""

    def __init__(self, root: Path, family: str, name: str, patch) -> None:
        self._fixtures = root / "fixtures" / family / name
        self.rule = self._load(root, f"awaken.codemods.{family}.{name.replace('-', '_')}", patch)

    def _load(self, root, module_name, patch) -> Rule:
        path = root / f"{module_name.replace('.', '/')}.py"
        spec = importlib.util.spec_from_file_location(module_name, path)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, module_name, module)
        spec.loader.exec_module(module)
        (found,) = (one for one in vars(module).values() if _is_rule(one, module_name))
        return found()

    def failures(self, *, laws: bool = False) -> list[str]:
        """Return what the tests of page and cases say, those of the laws too if asked for."""
        found = [_failure(assert_page, self.rule)]
        for case in (*load_cases(self._fixtures), *page_cases([self.rule])):
            result = run_case(case, [self.rule])
            found.append(_failure(assert_expected, result))
            checked = laws_of(case) if laws else []
            found += [_failure(LAWS[law], result) for law in checked]
        return [one for one in found if one]


def _is_rule(value, module_name: str) -> bool:
    return isinstance(value, type) and issubclass(value, Rule) and value.__module__ == module_name


def _failure(check, subject) -> str:
    try:
        check(subject)
    except AssertionError as error:
        return str(error)
    return ""

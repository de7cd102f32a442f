from __future__ import annotations

import sys
import types

import pytest

from awaken import api
from awaken.contract import Phase, Reason, Rule

PAGE = """Rewrites `old()` to [new](x).

## Before
```python
old(List[str])
```
"""


class _Old(Rule):
    name = "old-to-new"
    family = "things"
    phase = Phase.QUERIES
    reasons = (Reason("shadowed", "`{}` is shadowed", "Rename it."),)


class _Odd(Rule):
    """Advice in one line."""

    name = "odd-thing"
    family = "others"
    kind = "advice"
    phase = Phase.TIDY
    preview = True


@pytest.fixture(autouse=True)
def _catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    package, module = types.ModuleType("things.old_to_new"), types.ModuleType("things.plan")
    package.__doc__ = PAGE
    monkeypatch.setitem(sys.modules, "things.old_to_new", package)
    monkeypatch.setitem(sys.modules, "things.old_to_new.plan", module)
    monkeypatch.setattr(_Old, "__module__", "things.old_to_new.plan")
    monkeypatch.setattr(_Odd, "__module__", "things.old_to_new.plan")
    monkeypatch.setattr(api, "rules", lambda: (_Old(), _Odd()))


def test_the_list_says_what_each_rule_is(awaken):
    monkey = sys.modules["things.old_to_new"]
    assert monkey.__doc__ == PAGE

    code, out, err = awaken("rules")

    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "old-to-new  things, rewrite, phase queries",
        "    Rewrites `old()` to [new](x).",
        "odd-thing  others, advice, phase tidy, in preview",
        "    Advice in one line.",
    ]


def test_a_family_lists_its_rules(awaken):
    _, out, _ = awaken("rules", "things")

    assert out.startswith("old-to-new  things")
    assert "odd-thing" not in out


def test_the_page_is_the_docstring_and_the_reasons(awaken):
    code, out, _ = awaken("rules", "old-to-new")

    assert code == 0
    assert PAGE.strip() in out
    assert out.endswith("old-to-new/shadowed\n    `…` is shadowed\n    Rename it.\n")


def test_on_a_terminal_the_page_is_set_as_text(awaken):
    _, out, _ = awaken("rules", "old-to-new", "--color", "always")

    assert "## Before" not in out
    assert "Before" in out
    assert "List" in out
    assert "```" not in out


def test_a_rule_in_preview_has_its_page(awaken):
    assert "Advice in one line." in awaken("rules", "odd-thing")[1]


def test_an_unknown_name_is_one_sentence_with_the_nearest(awaken):
    code, out, err = awaken("rules", "old-to-knew")

    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "'old-to-knew'" in err
    assert "'old-to-new'" in err

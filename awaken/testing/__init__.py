"""The fixture runner: what a rule promises, checked case by case. For third-party rules too.

A case is a directory with ``case.toml`` and the program before and after (see ``cases``).
``accept`` rewrites its expectations. ``page_cases`` makes cases of the examples on rules' pages;
``assert_page`` says what else a page must have. ``run_case`` runs the case's rule;
``assert_expected`` compares with what the case says, ``LAWS`` are what holds for every rule, and
``Executor`` runs both sides on a database; ``assert_same_lifecycle`` starts and stops the
application of both, ``assert_same_concurrency`` runs their coroutines, and ``assert_same_suite``
the tests that an application brings with it.
"""

from awaken.testing.accepting import accept
from awaken.testing.cases import Case, CaseError, ExpectedFinding, load_cases
from awaken.testing.concurrency import assert_same_concurrency
from awaken.testing.execution import Executor, assert_same_behaviour
from awaken.testing.laws import LAWS, Law, laws_of
from awaken.testing.lifecycles import assert_same_lifecycle
from awaken.testing.page_cases import assert_page, assert_place, assert_reasons_shown, page_cases
from awaken.testing.running import CaseResult, assert_expected, run_case
from awaken.testing.suites import assert_same_suite

__all__ = [
    "LAWS",
    "Case",
    "CaseError",
    "CaseResult",
    "Executor",
    "ExpectedFinding",
    "Law",
    "accept",
    "assert_expected",
    "assert_page",
    "assert_place",
    "assert_reasons_shown",
    "assert_same_behaviour",
    "assert_same_concurrency",
    "assert_same_lifecycle",
    "assert_same_suite",
    "laws_of",
    "load_cases",
    "page_cases",
    "run_case",
]

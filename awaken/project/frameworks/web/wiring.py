"""The applications of a program, and everything that is done to them, in one place to ask."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from awaken.project.frameworks.web.applications import Applications
from awaken.project.frameworks.web.endpoints import Endpoints
from awaken.project.frameworks.web.handler_runs import Runs
from awaken.project.frameworks.web.handlers import Handlers
from awaken.project.frameworks.web.imported_together import CertainImports
from awaken.project.frameworks.web.inclusion import Inclusions
from awaken.project.frameworks.web.installers import Installations
from awaken.project.frameworks.web.registrations import Registrations
from awaken.project.frameworks.web.responses.routes import Responses
from awaken.project.frameworks.web.served_applications import Serving
from awaken.project.graph.evaluator import ProgramEvaluator


class Web:
    """Facts about a program's web applications; they are worked out on demand."""

    def __init__(self, evaluator: ProgramEvaluator, targets: Any) -> None:
        self._evaluator = evaluator
        self._targets = targets

    @cached_property
    def applications(self) -> Applications:
        """Which applications expressions are."""
        return Applications(self._evaluator)

    @cached_property
    def registrations(self) -> Registrations:
        """The registrations of handlers and lifespans."""
        return Registrations(self._evaluator, self.applications)

    @cached_property
    def inclusions(self) -> Inclusions:
        """The inclusions and mounts of applications and routers."""
        return Inclusions(self._evaluator, self.applications)

    @cached_property
    def endpoints(self) -> Endpoints:
        """The functions that run for every request."""
        return Endpoints(self._evaluator, self.applications)

    @cached_property
    def responses(self) -> Responses:
        """Which endpoints return what, and as which response models."""
        return Responses(self._evaluator, self.applications)

    @cached_property
    def serving(self) -> Serving:
        """Which applications are served, with their lifespans."""
        return Serving(self._evaluator, self.applications, self.registrations, self.inclusions)

    @cached_property
    def imports(self) -> CertainImports:
        """Which files are imported together."""
        return CertainImports(self._evaluator)

    @cached_property
    def runs(self) -> Runs:
        """The calls that run handlers by hand."""
        return Runs(self._evaluator, self.applications)

    @cached_property
    def handlers(self) -> Handlers:
        """How handlers are called."""
        return Handlers(self._evaluator, self.applications)

    @cached_property
    def installations(self) -> Installations:
        """Which libraries are given an application."""
        return Installations(self._evaluator, self.applications, self._targets)

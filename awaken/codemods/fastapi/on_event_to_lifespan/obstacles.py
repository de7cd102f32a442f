"""Obstacles to a lifespan: looked for in the whole program before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from awaken.codemods.fastapi.on_event_to_lifespan import reasons
from awaken.codemods.fastapi.on_event_to_lifespan.placing.application_constructors import Home
from awaken.contract import Reason
from awaken.kit.rule import ProjectFacts
from awaken.kit.sites import Refused
from awaken.kit.web.lifespans import caveats_of_installers
from awaken.project.frameworks.web.applications import Application
from awaken.project.frameworks.web.installers import Installation
from awaken.project.frameworks.web.registrations import GivenLifespan, Registration
from awaken.project.frameworks.web.served_applications import ROUTERS, Inclusion
from awaken.project.source.memo import cached_method, cached_property


class Owned(Struct, frozen=True):
    """A registration that belongs to an application, if ``via`` by routers that it includes."""

    registration: Registration
    via: tuple[Inclusion, ...] = ()


class Obstacles(ProjectFacts):
    """Refuses handlers that cannot be moved; every refusal names the place that prevents it."""

    def of_loose(self, registration: Registration) -> Refused | None:
        """Return why a registration belongs to no visible application; None if it does."""
        applications = registration.to.applications
        if applications:
            # Handlers of a router run only if an application includes it.
            routers = all(application.kind in ROUTERS for application in applications)
            included = any(self._project.web.inclusions.roots(item) for item in applications)
            return Refused(reasons.UNINCLUDED_ROUTER) if routers and not included else None
        unknown = registration.to.unknown
        if registration.to.uncalled and registration.module.enclosing_function(registration.node):
            name = registration.module.scope_name(registration.node)
            return Refused(reasons.UNCALLED, name)
        because = () if unknown is None else (unknown.place,)
        why = "it is not a visible name" if unknown is None else unknown.why
        return Refused(reasons.UNRESOLVED_REGISTRATION, why, because=because)

    def look_at(
        self, application: Application, owned: Sequence[Owned], *, shared: bool = False
    ) -> None:
        """Refuse an application by its known facts, without the code that makes it.

        ``shared``: one function registers the handlers of several applications.
        """
        own = [candidate for candidate in owned if not candidate.via]
        self._look_at_lifespans(application, own)
        self._look_at_routers(application, owned)
        self._look_at_routers_of_applications(application)
        self._look_at_other_decorators(application, own)
        if shared:
            self._look_at_lifespans_of_routers(application)
        else:
            self._require_one_application(own)
        for registration in self._unresolved_registrations:
            refused = self.of_loose(registration)
            if refused is not None and self._may_be_of(application, registration):
                detail = _detail(refused)
                raise Refused(refused.reason, detail, because=(registration.place,))
        self._look_at_mounts(application)
        for installation in self._installations(application):
            # A lifespan would silence what the installer registers.
            if installation.effect in {"registers", "replaces"}:
                place = installation.module.place(installation.node)
                raise Refused(reasons.INSTALLER, installation.name, because=(place,))

    def _look_at_lifespans(self, application: Application, own: Sequence[Owned]) -> None:
        """Refuse an application that has a lifespan, or may get one."""
        for lifespan in self._project.web.registrations.lifespans:
            # With a lifespan, Starlette silently ignores every handler of the application.
            if application in lifespan.to.applications or lifespan.to.unknown is not None:
                place = lifespan.module.place(lifespan.node)
                if not own:
                    what = "and the application has a lifespan"
                    raise Refused(reasons.ROUTER_HANDLER, what, because=(place,))
                raise Refused(_reason_to_stay(lifespan, own), because=(place,))

    def _look_at_routers(self, application: Application, owned: Sequence[Owned]) -> None:
        """Refuse routers with handlers that are included more than once, or perhaps."""
        inclusions = self._project.web.inclusions
        for registration in owned:
            routers = registration.registration.to.applications if registration.via else ()
            # Each application that includes a router runs its handlers once more.
            if len(routers) > 1 or any(len(inclusions.roots(router)) > 1 for router in routers):
                place = registration.registration.place
                raise Refused(reasons.ROUTER_HANDLER, "and is included again", because=(place,))
        for inclusion in inclusions.all if self._has_loose_routers else ():
            hidden = inclusion.child.unknown is not None and inclusion.how == "include"
            # An unknown router may be a loose one, whose handlers would then stop.
            if hidden and application in inclusion.parent.applications:
                place = inclusion.module.place(inclusion.node)
                raise Refused(reasons.ROUTER_HANDLER, "or may be included", because=(place,))

    def _look_at_routers_of_applications(self, application: Application) -> None:
        """Refuse applications of which one includes the router of the other.

        It copies the handlers of the other, and would enter its lifespan at another time.
        """
        for inclusion in self._project.web.inclusions.all:
            inner = [item for item in inclusion.child.applications if item.kind not in ROUTERS]
            if inclusion.how != "include" or not inner:
                continue
            # Of the outer one only its own order matters: with what the inner one starts.
            is_outer = application in self._including(inclusion)
            if application in inner or (is_outer and any(map(self._starts, inner))):
                place = inclusion.module.place(inclusion.node)
                raise Refused(reasons.APPLICATION_INCLUDED, because=(place,))

    def _including(self, inclusion: Inclusion) -> Iterator[Application]:
        """Yield the applications that get what is included, also through routers."""
        for application in inclusion.parent.applications:
            yield application
            if application.kind in ROUTERS:
                yield from (root for root, _ in self._project.web.inclusions.roots(application))

    def _starts(self, application: Application) -> bool:
        """Whether something runs when an application starts."""
        registrations = self._project.web.registrations
        return bool(registrations.registrations_on(application)) or (
            registrations.lifespan_of(application) is not None
        )

    def _look_at_other_decorators(self, application: Application, own: Sequence[Owned]) -> None:
        """Refuse handlers that several decorators register on several applications."""
        for item in own:
            for other in self._project.web.registrations.all:
                if _share_function(item.registration, other) and not self._is_on(
                    other, application
                ):
                    raise Refused(reasons.SEVERAL_APPLICATIONS, because=(other.place,))

    def _is_on(self, registration: Registration, application: Application) -> bool:
        """Whether something is registered on nothing but an application, or its routers."""
        inclusions = self._project.web.inclusions
        return all(
            candidate == application
            or (
                candidate.kind in ROUTERS
                and all(root == application for root, _ in inclusions.roots(candidate))
            )
            for candidate in registration.to.applications
        )

    @cached_property
    def _has_loose_routers(self) -> bool:
        """Whether something is registered on a router that no visible application includes."""
        return any(
            router.kind in ROUTERS and not self._project.web.inclusions.roots(router)
            for registration in self._project.web.registrations.all
            for router in registration.to.applications
        )

    def _require_one_application(self, owned: Sequence[Owned]) -> None:
        for item in owned:
            if len(item.registration.to.applications) > 1:
                raise Refused(reasons.SEVERAL_APPLICATIONS, because=(item.registration.place,))

    def _look_at_lifespans_of_routers(self, application: Application) -> None:
        """Refuse to replace the lifespan context that a router's lifespan was merged into."""
        inclusions = self._project.web.inclusions
        for lifespan in self._project.web.registrations.lifespans:
            for router in lifespan.to.applications:
                if any(root == application for root, _ in inclusions.roots(router)):
                    place = lifespan.module.place(lifespan.node)
                    raise Refused(
                        reasons.ROUTER_HANDLER, "in a lifespan of its own", because=(place,)
                    )

    def _may_be_of(self, application: Application, registration: Registration) -> bool:
        """Whether what is registered on something unknown may be registered on ``application``."""
        known = registration.to.unknown_class
        # Nothing is known of a foreign class, so that it may be any.
        if self._project.class_facts(known) is None:
            return True
        return application.qualified in {known, *self._project.all_subclasses(known)}

    @cached_property
    def _unresolved_registrations(self) -> list[Registration]:
        """The registrations that may be of any application."""
        return [
            registration
            for registration in self._project.web.registrations.all
            # A function that nothing calls registers nothing.
            if registration.to.unknown is not None and not registration.to.uncalled
        ]

    def _look_at_mounts(self, application: Application) -> None:
        for inclusion in self._project.web.inclusions.all:
            # Starlette never runs the handlers of a mounted application.
            if inclusion.how == "mount" and application in inclusion.child.applications:
                place = inclusion.module.place(inclusion.node)
                raise Refused(reasons.SUB_APPLICATION, because=(place,))

    def caveats(self, application: Application) -> list[str]:
        """Return what may change because of code that is not visible, as clauses."""
        return caveats_of_installers(self._installations(application))

    def caveats_of_registrar(self, home: Home) -> list[str]:
        """Return what may change for applications that others give to the function ``home``."""
        if (
            home.function is None
            or self._project.calls.callers_of(home.module, home.function).complete
        ):
            return []
        name = home.function.name
        return [
            (
                f"if code outside the project passes an application with a lifespan, `{name}` "
                "replaces that lifespan"
            )
        ]

    @cached_method
    def _installations(self, application: Application) -> list[Installation]:
        return list(self._project.web.installations.installations_on(application))


def _share_function(one: Registration, other: Registration) -> bool:
    """Whether two decorators register one function."""
    function, beside = one.function, other.function
    return (
        function is not None
        and beside is not None
        and one is not other
        and one.module.path == other.module.path
        and one.module.span(function) == other.module.span(beside)
    )


def _reason_to_stay(lifespan: GivenLifespan, own: Sequence[Owned]) -> Reason:
    """Return why the own handlers of an application with a lifespan stay."""
    if lifespan.assigned:
        return reasons.LIFESPAN_CONTEXT
    is_only_used = all(registration.registration.form == "other" for registration in own)
    return reasons.LIST_UNUSED if is_only_used else reasons.HAS_LIFESPAN


def _detail(refused: Refused) -> str:
    """Return what fills the message of a reason that is raised again elsewhere."""
    # The message is already filled, and would be filled twice.
    head, _, tail = refused.reason.message.partition("{}")
    return refused.message.removeprefix(head).removesuffix(tail)

"""Load relationships with their objects instead of one statement per object.

## Before (unsafe)

```python
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import User


def post_ids(session: Session) -> list[int]:
    return [post.id for user in session.scalars(select(User)) for post in user.posts]
```

## After (unsafe)

```python
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from models import User


def post_ids(session: Session) -> list[int]:
    return [
        post.id
        for user in session.scalars(select(User).options(selectinload(User.posts)))
        for post in user.posts
    ]
```

## What

A program iterates over the objects of a `select()` or a query, and reads a relationship of each.
The read may be in a loop, a template, a response model or a schema. awaken adds loader options to
the statement:

| the program reads | awaken adds |
| --- | --- |
| a collection | `selectinload()` |
| a single object | `joinedload()` |
| a single object, where a join could change the rows | `selectinload()`: below `distinct()`, `group_by()` or `with_for_update()`, or in a statement that other code extends |
| relationships of these objects | options below the first: `selectinload(User.posts).selectinload(Post.tags)` |
| a relationship whose statement has options already | an extended option |

## Why

A relationship is loaded when it is read: one statement for each object, and for each object below
it. A page of 50 users with their posts and tags sends hundreds of statements. With an
`AsyncSession`, such a read raises `MissingGreenlet`.

## Before: a single object of each (unsafe)

```python
from sqlalchemy.orm import Session

from models import Post


def authors(session: Session) -> set[int]:
    posts = session.query(Post).filter(Post.id > 100)
    return {post.author.id for post in posts}
```

## After: a single object of each (unsafe)

```python
from sqlalchemy.orm import Session, joinedload

from models import Post


def authors(session: Session) -> set[int]:
    posts = session.query(Post).options(joinedload(Post.author)).filter(Post.id > 100)
    return {post.author.id for post in posts}
```

## The models of the examples

```python models.py
from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    posts: Mapped[list["Post"]] = relationship(back_populates="author")


class Post(Base):
    __tablename__ = "posts"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    author: Mapped[User] = relationship(back_populates="posts")
```

## Safety

Never safe:

| what may change | details |
| --- | --- |
| the number of rows loaded | all rows are loaded, even if the loop ends early or skips most objects |
| the time of the load | rows are loaded before anything that the loop does to them |

## What it refuses

The table has a cure for each reason. These reads are not reported:

* of a single object, instead of objects in a loop;
* of a relationship that the mapping or an option already loads;
* of a relationship that leads back to the object of the loop;
* in tests, and in revisions of Alembic.

## On real programs

| programs | with places | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| the 22 of `benchmarks/recipes/statuses.md` | 17 | 0 | 95 | 152 |

## Sources

* SQLAlchemy 2.1, "Relationship Loading Techniques": "Select IN loading", "Joined Eager Loading",
  "What Kind of Loading to Use?"
* SQLAlchemy 2.1, "ORM Querying Guide": "Loader Options"
"""  # noqa: E501  rows of tables

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from awaken.codemods.sqlalchemy.eager_load.repeated import Repeated, repeated_reads
from awaken.contract import Level, Phase, Place, Reason, Status
from awaken.kit.changes import Decided, refused_together, rewritten_together
from awaken.kit.eager_loads import REASONS, AddedLoad, plan_loads
from awaken.kit.eager_loads.mocked_sessions import mocked_sessions
from awaken.kit.eager_loads.plain_reasons import plainly
from awaken.kit.eager_loads.reasons import SHARED
from awaken.kit.relationships.intervening_writes import Writes
from awaken.kit.relationships.readers import Readers
from awaken.kit.rule import SiteRule
from awaken.kit.sites import Refused, Rewrite, Site
from awaken.project.frameworks.sqlalchemy.reads.read_facts import Wanted, call_or_attribute_at
from awaken.project.frameworks.templates.template_sights import TEMPLATE_READS

if TYPE_CHECKING:
    from awaken.project import Project
    from awaken.project.frameworks.sqlalchemy.reads.read_facts import How, Read, Trace

UNTRACED = Reason(
    "untraced-read",
    "each object of the loop runs a statement to load its `{}`; the objects' statement is unknown",
    "Add `selectinload()` or `joinedload()` to the statement that loads the objects.",
)
CUT = Reason(
    "first-of-many",
    "`first()` keeps one object of all rows, but `{}` would be loaded for every row",
    "Add `limit(1)` to the statement first.",
)
EXPIRED = Reason(
    "expired-in-loop",
    "the loop commits or expires its objects, and `{}` is reloaded afterwards",
    "Commit after the loop, or once for many objects.",
)
WRITTEN = Reason(
    "written-before-read",
    "a write after the statement may change `{}` before it is read",
    "Write first, or commit after the write and load the objects after the commit.",
)
_CAVEAT = "the statement loads all their rows at once"
_UNTRACED: frozenset[How] = frozenset({"dynamic", "generated"})
"""Kinds of reads of which it is never told what loaded the object."""


class EagerLoad(SiteRule):
    """Adds loader options to the statements whose objects are gone through."""

    name = "eager-load"
    family = "sqlalchemy"
    phase = Phase.MODELS
    since = "0.1.0"
    levels = (Level.UNSAFE, Level.MANUAL)
    triggers = (b"for ", b"query", b"select")
    anchors = (
        (b"relationship", b"relation(", b"relation as ", b"Relationship", b"dynamic_loader"),
        (b"sqlalchemy", b"sqlmodel"),
    )
    reads = TEMPLATE_READS
    status = Status.OPT_IN
    # A new object is single: reads of it are no loop.
    reasons = (
        *REASONS,
        CUT,
        EXPIRED,
        SHARED,
        UNTRACED,
        WRITTEN,
    )

    def decisions(self, project: Project) -> Iterable[Decided]:
        """Return a finding for each statement that more is loaded with, and its change."""
        repeated = repeated_reads(project)
        by_place: dict[Place, dict[Trace, list[Repeated]]] = {}
        for item in repeated:
            if item.trace is None:
                yield from self._untraced_decisions(project, item.read)
            else:
                needed = by_place.setdefault(item.trace.load.place, {})
                needed.setdefault(item.trace, []).append(item)
        missing: dict[Place, dict[Trace, list[Repeated]]] = {}
        for place, needed in by_place.items():
            present = plan_loads(self.name, project, list(needed)).present
            missing[place] = {one: reads for one, reads in needed.items() if one not in present}
        # Of all relationships it would be most of what the rule costs.
        names = {
            read.read.attribute
            for result in missing.values()
            for reads in result.values()
            for read in reads
        }
        wanted = Wanted(frozenset(names), _UNTRACED)
        reads = project.orm.reads.reads_of(wanted) if names else ()
        readers = Readers(project, reads)
        for place, traces in missing.items():
            yield from self._decisions_at(project, place, traces, readers)

    def _decisions_at(
        self,
        project: Project,
        place: Place,
        missing: Mapping[Trace, Sequence[Repeated]],
        readers: Readers,
    ) -> Iterator[Decided]:
        """Yield the decisions on the reads of objects of one statement."""
        held = {
            trace: why
            for trace, reads in missing.items()
            if (why := _refusal_of_reads(place, reads, readers) or _stale(project, trace, reads))
            is not None
        }
        planned = plan_loads(self.name, project, [item for item in missing if item not in held])
        for trace, why in {**held, **planned.refused}.items():
            first = missing[trace][0].read.place
            # A line of a template is not a site: its statement is.
            site = self._site(project, first) or self._site(project, place)
            if site is not None:
                yield refused_together([site], why)
        site = self._site(project, place)
        if site is not None and planned.edits:
            served = (trace for load in planned.added for trace in load.traces)
            places = (read.read.place for trace in served for read in missing[trace])
            related = tuple(dict.fromkeys(places))
            message = _message(planned.added, is_awaited=_is_awaited(site))
            doubles, seen = mocked_sessions(project, site.place)
            rewrite = Rewrite(message, planned.edits, [_CAVEAT, *doubles], (*related, *seen))
            yield rewritten_together([site], rewrite)

    def _untraced_decisions(self, project: Project, read: Read) -> Iterator[Decided]:
        first = read.unknown[0]
        text = f"{read.owner.rpartition('.')[2]}.{read.attribute}"
        why = f"{UNTRACED.help} What stopped the search: {plainly(first)}."
        site = self._site(project, read.place)
        if site is not None:
            yield refused_together([site], Refused(UNTRACED, text, why, (first.place,)))

    def _site(self, project: Project, place: Place) -> Site[ast.AST] | None:
        """Return the site at a place in Python code."""
        module = project.module(place.path) if place.path in project.snapshot else None
        node = None if module is None else call_or_attribute_at(module, place)
        return None if module is None or node is None else Site(self.name, module, node)


def _refusal_of_reads(place: Place, reads: Sequence[Repeated], readers: Readers) -> Refused | None:
    """Return why nothing should be loaded ahead for reads of one relationship, if anything."""
    attribute = reads[0].read.attribute
    if any(candidate.is_cut for candidate in reads):
        return Refused(CUT, attribute)
    expired = [candidate.expired for candidate in reads if candidate.expired is not None]
    if len(expired) == len(reads):
        return Refused(EXPIRED, attribute, because=(expired[0],))
    read = reads[0].read
    if not readers.are_all(place, f"{read.owner}.{read.attribute}"):
        return Refused(SHARED, attribute, because=(place,))
    return None


def _stale(project: Project, trace: Trace, reads: Sequence[Repeated]) -> Refused | None:
    """Return why a value that is loaded ahead may be older than the one that is read today."""
    for read in reads:
        written = Writes(project).write_between(trace, read.read)
        if written is not None:
            return Refused(WRITTEN, read.read.attribute, because=(written,))
    return None


def _is_awaited(site: Site[ast.AST]) -> bool:
    """Whether a coroutine awaits the statement: its objects can load nothing when they are read."""
    return any(
        isinstance(node, ast.Await | ast.AsyncFor) for node in site.module.ancestors(site.node)
    )


def _message(added: Sequence[AddedLoad], *, is_awaited: bool) -> str:
    """Return what reading the relationships does now, and what loads them ahead."""
    texts = [load.text for load in added]
    longest = [text for text in texts if not any(other.startswith(f"{text}.") for other in texts)]
    steps = dict.fromkeys(trace.path[-1] for load in added for trace in load.traces)
    levels = [_level(step, is_awaited=is_awaited) for step in steps]
    code = " and ".join(f"`{text}`" for text in longest)
    return f"{', then '.join(levels)}; {code} {'is' if len(longest) == 1 else 'are'} added"


def _level(step: str, *, is_awaited: bool) -> str:
    owner, _, attribute = step.rpartition(".")
    if is_awaited:
        return f"reading `{owner.rpartition('.')[2]}.{attribute}` raises `MissingGreenlet` today"
    return f"each `{owner.rpartition('.')[2]}` runs a statement to load `{attribute}`"

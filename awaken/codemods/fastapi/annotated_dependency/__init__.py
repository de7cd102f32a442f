"""Move `Depends()`, `Query()` and other FastAPI markers from defaults into `Annotated`.

## What

`db: Session = Depends(get_db)` becomes `db: Annotated[Session, Depends(get_db)]`, and
`q: str = Query("x", max_length=9)` becomes `q: Annotated[str, Query(max_length=9)] = "x"`. The
same goes for `Security`, `Path`, `Body`, `Header`, `Cookie`, `Form` and `File`, in endpoints,
dependencies and constructors of classes that are dependencies. All marked parameters of a function
change together. One without a type gets `Any`, as FastAPI itself takes it: a better type, such as
the one that the dependency returns, would change nothing at run time and might be wrong.

A parameter without a default cannot follow one that has one. Dependencies and path parameters move
in front; where something else would have to move, which FastAPI's document would show, a bare `*`
is put in front of it instead.

## Why

It is the form that FastAPI documents since 0.95: the default is the default, for type checkers and
for whom calls the function, and an annotation can be given a name and used again.

## Before

```python
from fastapi import APIRouter, Depends, Path, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/items/{item_id}")
def item(item_id: int = Path(..., ge=1), db: Session = Depends(get_db)):
    return db.get(item_id)


@router.get("/items")
def items(skip: int = 0, limit: int = Query(10, le=50), db: Session = Depends(get_db)):
    return db.all(skip, limit)


@router.get("/search")
def search(page: int = 1, words: str = Query(...)):
    return page, words
```

## After

```python
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/items/{item_id}")
def item(item_id: Annotated[int, Path(ge=1)], db: Annotated[Session, Depends(get_db)]):
    return db.get(item_id)


@router.get("/items")
def items(
    db: Annotated[Session, Depends(get_db)],
    skip: int = 0,
    limit: Annotated[int, Query(le=50)] = 10,
):
    return db.all(skip, limit)


@router.get("/search")
def search(page: int = 1, *, words: Annotated[str, Query()]):
    return page, words
```

## Before: without a type

```python
from fastapi import APIRouter, Depends

from shop import get_db

router = APIRouter()


@router.get("/all")
def everything(db=Depends(get_db)):
    return db.all()
```

## After: without a type

```python
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from shop import get_db

router = APIRouter()


@router.get("/all")
def everything(db: Annotated[Any, Depends(get_db)]):
    return db.all()
```

## Before: a decorator that may look at the defaults (unsafe)

```python
from fastapi import APIRouter, Depends

from shop import Session, get_db, measured

router = APIRouter()


@router.get("/")
@measured
def index(db: Session = Depends(get_db)):
    return db.all()
```

## After: a decorator that may look at the defaults (unsafe)

```python
from typing import Annotated

from fastapi import APIRouter, Depends

from shop import Session, get_db, measured

router = APIRouter()


@router.get("/")
@measured
def index(db: Annotated[Session, Depends(get_db)]):
    return db.all()
```

## The database of the examples

```python shop.py
class Session:
    def get(self, key):
        return key

    def all(self, skip=0, limit=None):
        return [skip, limit]


def get_db():
    yield Session()


def measured(function):
    return function
```

## Safety

*Safe* means: the same responses to the same requests, the same document, and the same for every
direct call. FastAPI calls its functions by name; direct calls are looked up over the whole
program, tests included, and all of them pass what has no default afterwards. That a function is an
endpoint, a dependency or an override is no call. A type checker that passes over functions without
annotations reads those that get their first one. Code outside the program is taken to call no
endpoint.

*Unsafe*, with what may change in the message:

* a decorator between FastAPI and the function, which may look at its defaults (that of
  dependency-injector does);
* direct calls that leave out a parameter like `limit`: they get `10` instead of the marker;
* functions that other programs may call by position, where parameters change their places, and
  those whose calls cannot all be found.

It needs FastAPI 0.95 and Python 3.9, on every version that the project admits.

## What it refuses

`Depends()` without a type, types in quotes, parameters that are Annotated already; markers that are
given `*arguments`; functions that are passed on as a value, or called without a parameter that
could not be left out any more, or by position where places change; signatures with `/`, `*args` or
`*` in which no order fits. In files with `from __future__ import annotations`, markers that name
something local or bound twice, because FastAPI evaluates such annotations among the names at the
top of the file.

## On real programs

78 programs, 59 of which have such parameters; 593 functions stay in those that admit FastAPI before
0.95, or Python 3.8. All files compile afterwards. The documents of gns3-server, sqlmesh and
merino-py (350, 26 and 3 rewritten functions) are the same before and after, and so is what becomes
of the 487 tests of gns3-server's interface. In open-webui, 518 functions have parameters without a
type; the others were counted when these still were manual:

| program | functions | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| nupurmadaan04/SOUL_SENSE_EXAM @ ab231507 | 406 | 392 | 14 | 0 |
| GNS3/gns3-server | 354 | 350 | 0 | 4 |
| fief-dev/fief @ 485ecb4a | 286 | 193 | 33 | 60 |
| mlrun/mlrun @ eb4cf70f | 107 | 107 | 0 | 0 |
| polarsource/polar @ 918553c4 | 79 | 79 | 0 | 0 |
| mealie-recipes/mealie @ b5643a93 | 68 | 61 | 2 | 5 |
| freqtrade/freqtrade | 60 | 31 | 1 | 28 |
| lnbits/lnbits | 49 | 44 | 1 | 4 |
| mamba-org/quetz @ f20db64f | 19 | 8 | 0 | 11 |
| open-webui/open-webui 0.12.4 | 556 | 548 | 5 | 3 |
| 49 others | 894 | 678 | 79 | 137 |

## Sources

* FastAPI, "Query Parameters and String Validations": "Use `Annotated` in the type for the `q`
  parameter", "Advantages of `Annotated`"; "Path Parameters and Numeric Validations": "Order the
  parameters as you need"; release notes of 0.95.0
* `fastapi/dependencies/utils.py`: `analyze_param`, `get_typed_signature`, `get_typed_annotation`
"""

from awaken.codemods.fastapi.annotated_dependency.plan import AnnotatedDependency

__all__ = ["AnnotatedDependency"]

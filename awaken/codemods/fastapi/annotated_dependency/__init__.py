"""Move `Depends()`, `Query()` and other FastAPI markers from defaults into `Annotated`.

## Before

```python
from fastapi import APIRouter, Depends, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/items")
def items(skip: int = 0, limit: int = Query(10, le=50), db: Session = Depends(get_db)):
    return db.all(skip, limit)
```

## After

```python
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/items")
def items(
    db: Annotated[Session, Depends(get_db)],
    skip: int = 0,
    limit: Annotated[int, Query(le=50)] = 10,
):
    return db.all(skip, limit)
```

## What

| you write | awaken writes |
| --- | --- |
| `db: Session = Depends(get_db)` | `db: Annotated[Session, Depends(get_db)]` |
| `q: str = Query("x", max_length=9)` | `q: Annotated[str, Query(max_length=9)] = "x"` |
| `Security`, `Path`, `Body`, `Header`, `Cookie`, `Form`, `File` | the same form |
| `db: "Session" = Depends(get_db)` | `db: Annotated["Session", Depends(get_db)]`, because FastAPI does not read this type |
| `db=Depends(get_db)`, without a type | `db: Annotated[Any, Depends(get_db)]`, because FastAPI reads it so |
| a dependency or path parameter after one with a default | the parameter moves to the front |
| another parameter that loses its default | a bare `*` before it, because a new order would change the OpenAPI document |

The rule rewrites endpoints, dependencies, and constructors of classes that are dependencies. All
marked parameters of a function change together.

## Why

The FastAPI docs recommend `Annotated` since 0.95. The default of the parameter is its real
default, for type checkers and for direct calls. An annotation can have a name, and be reused.

## Before: parameters without a default

```python
from fastapi import APIRouter, Depends, Path, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/items/{item_id}")
def item(item_id: int = Path(..., ge=1), db: Session = Depends(get_db)):
    return db.get(item_id)


@router.get("/search")
def search(page: int = 1, words: str = Query(...)):
    return page, words
```

## After: parameters without a default

```python
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from shop import Session, get_db

router = APIRouter()


@router.get("/items/{item_id}")
def item(item_id: Annotated[int, Path(ge=1)], db: Annotated[Session, Depends(get_db)]):
    return db.get(item_id)


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

## Before: a decorator that reads the signature (unsafe)

```python
from fastapi import APIRouter, Depends

from shop import Session, get_db, measured

router = APIRouter()


@router.get("/")
@measured
def index(db: Session = Depends(get_db)):
    return db.all()
```

## After: a decorator that reads the signature (unsafe)

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
import inspect


class Session:
    def get(self, key):
        return key

    def all(self, skip=0, limit=None):
        return [skip, limit]


def get_db():
    yield Session()


def measured(function):
    print(inspect.signature(function))
    return function
```

## Safety

A *safe* rewrite gives the same responses, the same OpenAPI document, and the same result for every
direct call. FastAPI calls its functions by name. awaken looks up direct calls in the whole program
and its tests: each passes every parameter without a default. Use as an endpoint, a dependency or an
override is not a call. A decorator of the program may only copy the signature, and call the
function with all that it gets. awaken reads its code. awaken assumes that no code outside the
program calls an endpoint. A type checker that skips functions without annotations now checks those
that get their first one.

| an *unsafe* rewrite | what may change |
| --- | --- |
| a decorator whose code is unknown, or reads the signature | it may look at the defaults, as the one of dependency-injector does |
| a decorator that passes arguments by position, or not all | the function may get others, or too few |
| a decorator of another file, with `from __future__ import annotations` and FastAPI before 0.123.5 | FastAPI evaluates the annotation in that file |
| a direct call that leaves out a parameter such as `limit` | it gets `10` instead of the `Query()` object |
| code that calls `route.endpoint` or what `dependency_overrides` holds, or reads its parameters | the same; `get_type_hints()` sees the markers, which counts unless the code only looks for others |
| a function that other programs may call by position | its parameters change their positions |
| a function whose calls are not all known | an unknown call may fail |

The rule runs only if the project requires FastAPI 0.95 or later, and Python 3.9 or later.

## What it refuses

| left alone | why |
| --- | --- |
| `Depends()` without a type | FastAPI takes the dependency from the type |
| a function that is passed on as a value | its calls are unknown |
| a signature with `/`, `*args` or `*` in which no order works | no order is valid |
| a marker with a local name, or one that is assigned twice, in a file with `from __future__ import annotations` | FastAPI evaluates these annotations with the names of the module |
| a type that only type checkers import, or that a later line defines, in such a file | FastAPI cannot evaluate it, which matters only in `Annotated` |

The next table has a cure for each reason.

## On real programs

78 programs, of which 59 have such parameters. 593 functions are left alone, because their programs
allow FastAPI before 0.95 or Python 3.8. All files compile afterwards. The OpenAPI documents of
gns3-server, sqlmesh and merino-py are the same before and after (350, 26 and 3 functions). So are
the results of the 487 API tests of gns3-server. In open-webui, 518 functions have parameters
without a type. The other programs were counted when awaken left these alone. letta-ai/letta @
56ba9c25 was counted later: of 256 functions 251 are safe, 145 of them with a type in quotes.
BerriAI/litellm 1.109.1, aurweb and TracecatHQ/tracecat were counted with the proof of decorators.
They have 676 functions, of which 623 are safe, 175 of them with a decorator. The OpenAPI document of
aurweb is the same before and after. polar was counted with Python 3.13, which can parse all but one
of its files.

| program | functions | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| polarsource/polar @ c6c3645e | 457 | 420 | 30 | 7 |
| nupurmadaan04/SOUL_SENSE_EXAM @ ab231507 | 406 | 392 | 14 | 0 |
| GNS3/gns3-server | 354 | 350 | 0 | 4 |
| fief-dev/fief @ 485ecb4a | 286 | 193 | 33 | 60 |
| mlrun/mlrun @ eb4cf70f | 107 | 107 | 0 | 0 |
| mealie-recipes/mealie @ b5643a93 | 68 | 61 | 2 | 5 |
| freqtrade/freqtrade | 60 | 31 | 1 | 28 |
| lnbits/lnbits | 49 | 44 | 1 | 4 |
| mamba-org/quetz @ f20db64f | 19 | 8 | 0 | 11 |
| open-webui/open-webui 0.12.4 | 556 | 548 | 5 | 3 |
| 49 others | 894 | 678 | 79 | 137 |

## Sources

* FastAPI, "Query Parameters and String Validations": "Use `Annotated` in the type for the `q`
  parameter", "Advantages of `Annotated`"
* FastAPI, "Path Parameters and Numeric Validations": "Order the parameters as you need"; release
  notes of 0.95.0
* `fastapi/dependencies/utils.py`: `analyze_param`, `get_typed_signature`, `get_typed_annotation`
"""  # noqa: E501  rows of tables

from awaken.codemods.fastapi.annotated_dependency.plan import AnnotatedDependency

__all__ = ["AnnotatedDependency"]

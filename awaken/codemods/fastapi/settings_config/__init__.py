"""Replace `class Config` of settings with `model_config = SettingsConfigDict(...)`.

## What

The `class Config` inside a class that inherits from `BaseSettings` becomes an assignment of
`SettingsConfigDict(...)` with the same settings, and `BaseSettings` is imported from
`pydantic_settings`. Comments stay beside their settings, a docstring of Config becomes a comment,
`Extra.forbid` becomes `"forbid"`. Configs that inherit from each other, as in
`class Config(AppSettings.Config)`, are rewritten together, over all files, or not at all.

## Why

pydantic 2 takes a class for a dictionary with a deprecation warning, and pydantic 3 is to drop it.
`BaseSettings` left pydantic with version 2: importing it from there fails.

## Before

```python
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    name: str = "shop"

    class Config:
        # the file beside the program
        env_file = ".env"
        env_prefix = "SHOP_"
```

## After

```python
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    name: str = "shop"

    model_config = SettingsConfigDict(
        # the file beside the program
        env_file=".env",
        env_prefix="SHOP_",
    )
```

## Before: settings of pydantic 1 (unsafe)

```python
from pydantic import BaseSettings, Extra, Field


class Settings(BaseSettings):
    name: str = Field("shop")

    class Config:
        case_sensitive = True
        extra = Extra.ignore
```

## After: settings of pydantic 1 (unsafe)

```python
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    name: str = Field("shop")

    model_config = SettingsConfigDict(case_sensitive=True, extra="ignore")
```

## Safety

*Safe* means: the class has the same `model_config`, so it takes its values from the same places
and accepts and refuses the same ones. pydantic 2 reads every attribute of a `class Config` into
that dictionary; the rule rewrites a Config whose attributes can be read off, all of them settings
that pydantic 2 or pydantic-settings has, and whose values mean the same in the class around it.
Only the deprecation warning goes.

*Unsafe*, with what may change in the message:

* an import of `BaseSettings` from pydantic, and what inherits from it: such a program fails under
  pydantic 2 today, and was written for pydantic 1, which read an `env_file` with other keys in it
  and `Field(env=...)`;
* settings that pydantic 2 renamed: under their old names they have no effect today;
* `class Config(BaseSettings.Config)`, which fails today.

It runs only where every version of pydantic that the project admits is 2 or later: settings that
still run under pydantic 1 have to keep their Config.

## What it refuses

Methods in Config, and settings that pydantic 2 removed: it ignores them today, and what they did
has to be done otherwise. Names that are no settings; conditions, helper names and everything else
but a name with a value; values whose names mean something else in the class around; Configs that
inherit from other classes; a Config that is read elsewhere (`Settings.Config.env_file`); files
that import `BaseSettings` in a `try`, to run under either version.

Models that are no settings are no sites, nor is what inherits from `pydantic.v1`.

## On real programs

77 programs, 27 of which have such settings; most are of 2023 and pin pydantic 1, where nothing is
rewritten. The figures are those of `--target pydantic=2.10`, as if they had just raised it; all
files compile afterwards:

| program | sites | safe | unsafe | manual |
| --- | --- | --- | --- | --- |
| opsmill/infrahub @ 44e9c7ea | 21 | 0 | 18 | 3 |
| ChristopherGS/ultimate-fastapi-tutorial | 14 | 0 | 14 | 0 |
| Opentrons/opentrons | 10 | 0 | 8 | 2 |
| LAION-AI/Open-Assistant | 9 | 0 | 9 | 0 |
| nsidnev/fastapi-realworld-example-app @ 029eb778 | 5 | 0 | 5 | 0 |
| ets-labs/python-dependency-injector @ cc2304e4 | 5 | 0 | 2 | 3 |
| fief-dev/fief @ 485ecb4a | 3 | 0 | 3 | 0 |
| lnbits/lnbits @ 62435b37 | 3 | 0 | 1 | 2 |
| six programs on pydantic 2 | 7 | 7 | 0 | 0 |
| 13 others | 41 | 0 | 35 | 6 |

## Sources

* pydantic 2, Migration Guide: "Changes to config", "BaseSettings has moved to pydantic-settings"
* `pydantic/_internal/_config.py` of 2.14.3: `prepare_config`, `V2_REMOVED_KEYS`, `V2_RENAMED_KEYS`
* `pydantic_settings/main.py` of 2.16.3: `SettingsConfigDict`
"""

from awaken.codemods.fastapi.settings_config.plan import SettingsConfig

__all__ = ["SettingsConfig"]

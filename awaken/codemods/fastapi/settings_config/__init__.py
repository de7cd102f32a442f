"""Replace `class Config` of settings with `model_config = SettingsConfigDict(...)`.

## Before

```python
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    name: str = "shop"

    class Config:
        # relative to the working directory
        env_file = ".env"
        env_prefix = "SHOP_"
```

## After

```python
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    name: str = "shop"

    model_config = SettingsConfigDict(
        # relative to the working directory
        env_file=".env",
        env_prefix="SHOP_",
    )
```

## What

| you write | awaken writes |
| --- | --- |
| a `class Config` in a class that inherits from `BaseSettings` | `model_config = SettingsConfigDict(...)` with the same settings |
| `from pydantic import BaseSettings` | `from pydantic_settings import BaseSettings` |
| a comment on a setting | the same comment on the argument |
| a docstring of `Config` | a comment |
| `Extra.forbid` | `"forbid"` |
| configs that inherit from each other: `class Config(AppSettings.Config)` | all of them are rewritten, over all files, or none is |

## Why

With pydantic 2, a `class Config` is deprecated, and pydantic 3 is to remove it. `BaseSettings`
moved to pydantic-settings: importing it from pydantic 2 fails.

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

A *safe* rewrite gives the class the same `model_config`. So the settings take their values from the
same places, and accept and reject the same ones. pydantic 2 reads every attribute of a
`class Config` into that dictionary. Each attribute must have a plain value, and be a setting of
pydantic 2 or pydantic-settings. Its value must mean the same in the class around it. Only the
deprecation warning disappears.

| an *unsafe* rewrite | what may change |
| --- | --- |
| an import of `BaseSettings` from pydantic, and classes that inherit from it | it fails today; the program was written for pydantic 1, which accepted an `env_file` with other keys, and `Field(env=...)` |
| a setting that pydantic 2 renamed | the old name has no effect today |
| `class Config(BaseSettings.Config)` | it fails today |

The rule runs only if the project requires pydantic 2 or later. Settings that still run under
pydantic 1 need their Config.

## What it refuses

The table has a cure for each reason. A file that imports `BaseSettings` in a `try` also supports
pydantic 1, so it is left alone. Models that are not settings, and classes of `pydantic.v1`, are not
reported.

## On real programs

77 programs, of which 27 have such settings. Most are of 2023 and pin pydantic 1, where awaken
rewrites nothing. The figures are those of `--target pydantic=2.10`, as if they had raised it. All
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
"""  # noqa: E501  rows of tables

from awaken.codemods.fastapi.settings_config.plan import SettingsConfig

__all__ = ["SettingsConfig"]

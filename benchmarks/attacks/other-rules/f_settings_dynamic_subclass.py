# rules: settings-config
import os

from pydantic_settings import BaseSettings, SettingsConfigDict

os.environ["Q_A"] = "1"


def make(prefix: str):
    class Local(BaseSettings):
        a: int = 0

        class Config:
            env_prefix = prefix

    return Local


class Mixed(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="Q_")
    a: int = 5


class Sub(Mixed):
    class Config:
        extra = "allow"


print(make("Q_")().a, make("R_")().a, Mixed().a, Sub(b=3).a, Sub(b=3).model_extra)
print(type("Dyn", (make("Q_"),), {"__annotations__": {}})().a)

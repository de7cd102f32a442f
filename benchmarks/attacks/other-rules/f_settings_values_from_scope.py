# rules: settings-config
import os
from pathlib import Path

from pydantic_settings import BaseSettings

Path("a.env").write_text("TOKEN=from_file\nMODE=x\n")
ENV = "a.env"
prefix = "P_"
os.environ["P_MODE"] = "prefixed"


class Settings(BaseSettings):
    token: str = "none"
    mode: str = "none"
    prefix: str = "field"
    extra: str = "field"

    class Config:
        env_file = ENV
        env_prefix = prefix
        extra = "ignore"
        env_file_encoding = "utf-8"


class Frozen(BaseSettings):
    value: int = 1

    class Config:
        frozen = True
        validate_default = True
        title = f"{prefix}title"
        json_schema_extra = {"k": [prefix]}


print(Settings().model_dump(), Settings.model_config["env_prefix"])
try:
    Frozen().value = 2
except Exception as error:
    print(type(error).__name__, Frozen.model_config["title"], Frozen.model_json_schema()["k"], Frozen.model_json_schema()["title"])

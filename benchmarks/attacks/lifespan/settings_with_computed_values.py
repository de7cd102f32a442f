from pathlib import Path

from pydantic_settings import BaseSettings

HERE = Path("x")


class Settings(BaseSettings):
    env_prefix: str = "field"
    HERE: str = "class"

    class Config:
        env_file = HERE / ".env"
        env_nested_delimiter = "__"
        extra = "ignore"


class Other(BaseSettings):
    a: int = 1

    class Config:
        prefix = "A"
        env_prefix = prefix + "_"


print(Settings.model_config["env_file"], Settings(), Other.model_config["env_prefix"])

# rules: settings-config
import os

from pydantic import Field
from pydantic_settings import BaseSettings

os.environ.update(APP_NAME="env", APP_DEBUG="1", OTHER_NAME="other", app_name="lower")


class Base(BaseSettings):
    name: str = "default"

    class Config:
        env_prefix = "APP_"


class Child(Base):
    debug: bool = False

    class Config:
        case_sensitive = False


class Other(Base):
    class Config(Base.Config):
        env_prefix = "OTHER_"
        extra = "ignore"


class Plain(Base):
    pass


print(Base().name, Child().name, Child().debug, Other().name, Plain().name)
print(sorted((k, v) for k, v in Child.model_config.items() if k in ("env_prefix", "case_sensitive", "extra")))
print(Other.model_config["env_prefix"], Other.model_config["extra"], hasattr(Base, "Config"), isinstance(getattr(Base, "Config", None), type))

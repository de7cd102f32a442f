import os

from pydantic_settings import BaseSettings

os.environ.update(SHOP_NAME="env", shop_case="low", SHOP_CASE="up")


class Settings(BaseSettings):
    name: str = "default"
    case: str = ""

    class Config:
        env_prefix = "SHOP_"
        case_sensitive = True


class Child(Settings):
    other: int = 1

    class Config(Settings.Config):
        frozen = True
        env_file = ".env", ".env.local"


print(Settings(), Child(), sorted(Child.model_config.items(), key=str)[0], Child.model_config["frozen"])
try:
    Child().other = 4
except Exception as error:
    print(type(error).__name__)

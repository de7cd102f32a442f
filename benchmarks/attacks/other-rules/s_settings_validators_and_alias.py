# rules: settings-config
import os
from functools import lru_cache
from pydantic import AliasChoices, Field, field_validator
from pydantic_settings import BaseSettings

os.environ.update(LIST="[1, 2]", NESTED__X="5", SECRET="s", my_url="u")


class Nested(BaseSettings):
    x: int = 0


class Settings(BaseSettings):
    list: list[int] = []
    nested: Nested = Nested()
    secret: str = Field("", validation_alias=AliasChoices("SECRET", "PASSWORD"))
    my_url: str = ""

    class Config:
        env_nested_delimiter = "__"
        case_sensitive = False
        use_enum_values = True
        arbitrary_types_allowed = True

    @field_validator("list")
    @classmethod
    def double(cls, value):
        return [x * 2 for x in value]


@lru_cache
def get() -> Settings:
    return Settings()


print(get().model_dump(), get() is get(), Settings(list=[5]).list, Settings.model_config.get("env_nested_delimiter"))

# rules: settings-config
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """The settings."""

    host: str = "h"

    class Config:
        """Where from."""

        env_prefix = "Z_"
        populate_by_name = True

    def describe(self) -> str:
        config = type(self).__dict__.get("Config")
        return f"{config.env_prefix if config else 'no config'} {self.__doc__}"


def prefix_of(cls) -> str:
    return getattr(getattr(cls, "Config", None), "env_prefix", "?")


print(Settings().describe(), prefix_of(Settings), [n for n in vars(Settings) if n == "Config"], Settings.model_fields.keys())

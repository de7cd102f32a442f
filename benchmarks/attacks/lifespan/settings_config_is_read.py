from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    a: int = 1

    class Config:
        env_prefix = "P_"

    @classmethod
    def prefix(cls):
        return cls.Config.env_prefix


print(Settings.prefix(), Settings.model_config["env_prefix"])
print(getattr(Settings, "Config").env_prefix)

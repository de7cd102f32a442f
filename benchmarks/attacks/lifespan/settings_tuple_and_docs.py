from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    """Settings of the shop."""

    a: int = 1

    class Config:
        """How they are read."""

        env_file = "a.env", "b.env"
        env_file_encoding = "utf-8"; extra = "allow"
        protected_namespaces = ()
        json_schema_extra = {"examples": [{"a": 1}]}


print(Settings(b=3), Settings.model_config["env_file"], Settings.model_config["extra"], Settings.__doc__)
print(Settings.model_json_schema())

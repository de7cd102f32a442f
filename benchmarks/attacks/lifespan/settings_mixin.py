from pydantic import BaseModel
from pydantic_settings import BaseSettings


class Strict:
    class Config:
        extra = "forbid"


class Mixed(Strict, BaseSettings):
    a: int = 1


class Own(BaseSettings):
    a: int = 1

    class Config:
        extra = "allow"


class Below(Own):
    class Config:
        env_prefix = "X_"


class Model(BaseModel):
    class Config:
        frozen = True


print(Mixed.model_config["extra"], Below(b=1), Below.model_config["env_prefix"], Model.model_config)

# rules: settings-config
from pydantic_settings import BaseSettings
import pydantic_settings as ps


class A(BaseSettings):
    class Config:
        env_prefix = "A_"  # all of A
        # nothing else

    value: int = 1
    config: str = "field"


class B(ps.BaseSettings):
    value: int = 2
    class Config: env_prefix = "B_"; extra = "allow"


class C(A, B):
    pass


class D(A):
    value: int = 4

    class Config:
        extra = "forbid"


for cls in (A, B, C, D):
    print(cls.__name__, cls().value, cls.model_config["env_prefix"], cls.model_config["extra"], list(cls.model_fields))

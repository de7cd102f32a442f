# rules: settings-config
import os

os.environ["SHOP_NAME"] = "shop"
from config import Settings, prefixes

print(Settings().name, prefixes([Settings]))
# --- config.py
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    name: str = "-"

    class Config:
        env_prefix = "SHOP_"


def prefixes(classes) -> list[str]:
    out = []
    for cls in classes:
        for key, value in vars(cls).items():
            if isinstance(value, type) and key == "Config":
                out.append(value.env_prefix)
    return out

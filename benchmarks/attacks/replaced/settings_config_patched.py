# pytest: yes
# rules: settings-config
from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    debug: bool = False
    name: str = "app"

    class Config:
        env_prefix = "SHOP_"
        frozen = False


def load() -> Settings:
    return Settings()


# --- tests/test_settings.py
from unittest.mock import patch

import main


def test_environment(monkeypatch):
    monkeypatch.setenv("SHOP_NAME", "env")
    assert main.load().name == "env"


def test_prefix_is_patched(monkeypatch):
    monkeypatch.setitem(main.Settings.model_config, "env_prefix", "TEST_")
    monkeypatch.setenv("TEST_NAME", "test")
    assert main.load().name == "test"


def test_config_class():
    with patch.object(main.Settings.Config, "env_prefix", "X_"):
        assert main.Settings.Config.env_prefix == "X_"

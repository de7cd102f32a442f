"""The recipes that awaken brings: TOML files, read by ``awaken.settings.recipe_tables``."""

"""The small formats of settings: INI, JSON and TOML, read within bounds."""

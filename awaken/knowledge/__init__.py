"""What is known about libraries: one typed TOML file per distribution."""

from awaken.knowledge.libraries import Knowledge, Library, Role, knowledge

__all__ = ["Knowledge", "Library", "Role", "knowledge"]

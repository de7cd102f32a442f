"""Lines of a file: those of a statement, and those in which two texts differ."""

"""The parts of commands that one option asks for, such as ``--interactive``."""

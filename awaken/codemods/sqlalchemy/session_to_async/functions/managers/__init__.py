"""Context managers that wait: ``of_generators``."""

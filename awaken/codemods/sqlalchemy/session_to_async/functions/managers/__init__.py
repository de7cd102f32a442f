"""Context managers that wait: ``of_generators``, and in ``stacks``."""

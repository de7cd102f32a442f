"""Context managers whose session waits: ``of_classes``, ``of_generators``, and in ``stacks``."""

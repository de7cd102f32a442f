"""Attributes and results of mocks: as tests configure them, and as the program uses them."""

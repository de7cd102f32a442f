"""Endpoints with what they return: ``routes`` finds them, and the models of their responses."""

"""The command ``awaken migrate``: its steps with their proof, and what it asks."""

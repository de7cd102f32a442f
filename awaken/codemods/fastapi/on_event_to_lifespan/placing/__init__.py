"""The place of the lifespan, and what can be named and written there."""

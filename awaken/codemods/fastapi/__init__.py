"""Rules about FastAPI and Starlette programs."""

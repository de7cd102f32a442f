"""Applications of FastAPI and Starlette: code that several rules write into them."""

"""A small shop for books: FastAPI in front, SQLAlchemy 1.x style behind."""

"""Rules about SQLAlchemy programs."""

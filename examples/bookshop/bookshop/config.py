import os


class Settings:
    database_url = os.environ.get("BOOKSHOP_DATABASE_URL", "sqlite:///bookshop.db")
    page_size = 20
    bestseller_limit = 5
    low_stock = 3


settings = Settings()

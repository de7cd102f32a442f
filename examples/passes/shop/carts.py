from datetime import datetime

from shop.prices import price_of


class Cart:
    def __init__(self, items):
        self.items = items
        self.made = datetime.utcnow()  # no zone

    def total(self):
        return sum(price_of(one) for one in self.items)

"""Keys that tables declare: ``constraints`` reads them, ``partners`` concludes from them."""

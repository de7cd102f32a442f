"""How a web application is put together: applications, what they include, what starts them."""

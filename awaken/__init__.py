"""awaken: rewrites legacy Python back ends to the documented modern style."""

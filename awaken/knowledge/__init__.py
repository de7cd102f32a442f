"""What is known about libraries: one typed TOML file per distribution."""

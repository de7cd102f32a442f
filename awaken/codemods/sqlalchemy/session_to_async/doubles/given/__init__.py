"""What mocks have and give: as tests say it, and as the program uses it."""

"""Fields that schema classes declare, by library."""

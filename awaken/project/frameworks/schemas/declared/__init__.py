"""What classes of schemas declare: their fields, by the library that they belong to."""

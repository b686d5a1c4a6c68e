"""Our files on other engines."""

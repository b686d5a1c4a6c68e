"""Files and folders: written whole or not at all, read once, named by one rule, removed at the end."""

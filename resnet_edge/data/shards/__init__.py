"""Shards: files that hold many photos each, with their labels. `files` says which a DATA word names, `kind`
what each is by its content, and one file for each kind reads its records. Nothing in a shard is ever run."""

"""Images and labels, from wherever the user has them: loaders, and what prepares images for a run.

`load` picks the loader of a DATA word (contract: DATA); one loader per file.
"""

"""Code that goes into a bundle: self-tests and examples for one model. One file each.

A sample is a module with

- `TITLE`: what it is, in a few words;
- `render(facts)`: the files by their paths in the bundle, as text. The same facts give the same text.

`core.registry` finds it by its file name, and bundle/package.py writes what all of them render.
"""

"""Formats: kinds of model file. One file each, named like the option value.

A format is a module with

- `SUFFIX`: the file suffix;
- `refusal(scheme)`: why it does not offer a scheme, in one sentence, or None; it judges the
  scheme's fields, never its name;
- `write(portable, scheme, name, out, float_layers=())`: writes the artifact from the portable
  graph of that scheme (see resnet_edge.graph) and returns what made it, with its version; in an
  integer graph `float_layers` (names of outputs) are what was left in float, and nothing else
  heavy may be;
- `describe(path)`: the (inputs, outputs) that the file itself declares, and `census(path)`:
  how often each operation occurs.

`core.registry` finds it by its file name and `tests/contracts/test_formats.py` tests it.
"""

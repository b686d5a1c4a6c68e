"""Formats: kinds of model file. One file each, named like the option value.

A format is a module with

- `SUFFIX`: the file suffix;
- `refusal(scheme)`: why it does not offer a scheme, in one sentence, or None; it judges the
  scheme's fields, never its name;
- `write(source, scheme, ranges, options, out)`: writes the artifact to `out`;
- `describe(path)`: the (inputs, outputs) that the file itself declares.

`core.registry` finds it by its file name and `tests/contracts/test_formats.py` tests it.
"""

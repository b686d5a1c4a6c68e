"""What commands find out, as plain values: the dataclasses that reports and `--json` are made of."""

"""Operator versions of TFLite files: which ones the operators need, and the releases that came with them."""

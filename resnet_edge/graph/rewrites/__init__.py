"""Rewrites of the float portable graph: the same function of the input, in operators that quantize well."""

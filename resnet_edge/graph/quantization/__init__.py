"""From the float portable graph to a quantized one.

Ranges (calibrate, histogram, calibrators, learned), repairs of the float graph (equalize, bias, rounding,
pair_bound), the quantized graph itself (quantize, int8_rows, grids), and what it costs (sensitivity,
float_layers, error_growth).
"""

"""Activation ranges and repairs of the float graph for int8, and what is wrong with calibration images."""

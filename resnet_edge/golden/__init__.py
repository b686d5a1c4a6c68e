"""Golden vectors: images, outputs and tolerances in one file, saved from a run and replayed elsewhere."""

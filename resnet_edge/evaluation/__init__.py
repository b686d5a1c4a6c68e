"""An artifact run on images, compared with its reference, and judged.

`scheduler` runs artifacts on all cores, `predict` runs one, `compare` takes the figures, `rules` makes a
verdict of them, and `verdict` carries it to the report."""

"""`train`: fitting a network to labelled images, in steps that survive an interrupt."""

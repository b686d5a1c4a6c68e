"""Photos of 300 x 300 pixels through all commands, at the size of ImageNet's."""

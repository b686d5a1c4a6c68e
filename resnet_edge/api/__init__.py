"""The commands as functions: what `import resnet_edge` offers, and what the command line calls.

Each takes the options of its command as keywords of the same names, raises the errors of
`resnet_edge.errors`, prints nothing, and gives the typed report that --json prints. One file a command.
"""

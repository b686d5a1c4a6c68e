"""Workers on other machines, over ssh: what `--backends litert@pi4` names.

`process` is a worker on a host as the parent sees it, and `serve` what runs there: it starts the worker, and
ends with the connection. Between them are `frames`, lines of JSON with bytes behind. `carried` says which
files of a task go there and come back, and `store` keeps them there by their content. `identity` is how
both ends know that they run the same code.
"""

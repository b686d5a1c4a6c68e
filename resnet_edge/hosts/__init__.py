"""Other machines, reached over ssh: what `--backends litert@pi4` and `resnet-edge host prepare pi4` name.

`address` reads names, `ssh` starts OpenSSH's own client, `connection` is one started worker's line to a host
and `serve` its other end, `carried` brings the files of a task there and back, `store` keeps them on the host
by content, and `prepare` makes the environment there.
"""

"""Workers on a Ray cluster: what `--cluster ray` names.

`process` is a worker as the parent sees it, whose calls `connection` hands to one process of this machine
beside the parent, `drive`, which alone imports Ray here: Ray sends pickles, and what a pickle holds runs
where it is read. `node` is what Ray runs on the machines of the cluster: it puts the files of a task in
place, by their content, and calls a worker that is shut in as here. Between parent and driver, and as bytes
through Ray, go the JSON of `messages`. `address` is what a user may say.
"""

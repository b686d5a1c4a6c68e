"""Processes that do the heavy work: started, shut in, asked, ended.

`worker` is one process seen from the parent, `child` is what runs in it, `pool` holds those of one run."""

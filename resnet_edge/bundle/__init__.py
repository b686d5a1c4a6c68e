"""`package`: files for an app, proved once more in the runtimes that apps have, with code and golden vectors.

`targets/`: one file for each kind of app. `samples/`: one for each language. `delegates/`: one for each
accelerator whose share of a file is foretold."""

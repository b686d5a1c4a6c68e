import sys

if not sys.flags.safe_path:  # `python -m` puts the current folder first, where the user keeps data
    sys.path.pop(0)

from resnet_edge.entry import main

main()

from resnet_edge.entry import main

main()

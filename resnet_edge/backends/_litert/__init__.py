"""What the backends on LiteRT share: sessions, the GPU, folding, profiles, and which kernels ran."""

"""What fast kernels of several operators share: C headers, and the packing of weights as they read it."""

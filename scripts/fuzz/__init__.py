"""The model fuzzer: seeds and byte damage, structured damage of each format, the worker that tries cases."""

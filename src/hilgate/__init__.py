"""hilgate: gate merges on what a neural network does on an STM32: accuracy, flash, RAM, latency."""

__version__ = "0.1.0"

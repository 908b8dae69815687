"""What stands on the buses of an STM32, one file per peripheral. base.py says what a register access means."""

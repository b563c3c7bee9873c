"""The machines of the simulated world that these tests run commands in."""

from simulated_machine import machine

__all__ = ["machine"]

"""The version of the package: the one place that states it (setup.py reads this file as text, without importing)."""

__version__ = "0.1.0"

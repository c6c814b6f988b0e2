"""A local Hugging Face Hub for tests: standard library only, on the loopback, with planned faults. See `server.py`."""

from .faults import Fault, Faults
from .server import LocalHub, Request
from .store import Commit, Repository, StoredFile

__all__ = ["Commit", "Fault", "Faults", "LocalHub", "Repository", "Request", "StoredFile"]

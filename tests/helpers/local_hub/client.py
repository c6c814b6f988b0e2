"""The real client in the test's own process: quick, but only `huggingface_hub` can be pointed at the Hub that late.

transformers, datasets and evaluate read `HF_ENDPOINT` when they are imported: `LocalHub.run` starts them afresh.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import huggingface_hub
import pytest
from huggingface_hub import HfApi, constants, file_download
from huggingface_hub.utils import _http

from .server import LocalHub


@contextmanager
def client(hub: LocalHub) -> Iterator[tuple[HfApi, list[float]]]:
    """Yield a client of the Hub and the seconds it would have slept between tries: it does not sleep.

    An LFS upload gives a DeprecationWarning of httpx2 ("Use 'content=...'"), which is the client's own affair.
    """
    waits: list[float] = []
    clock = SimpleNamespace(sleep=waits.append, time=time.time)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        patch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 1)
        patch.setattr(_http, "time", clock)
        patch.setattr(file_download, "time", clock)
        patch.setenv("NO_PROXY", "127.0.0.1")
        huggingface_hub.close_session()  # its proxies are those of the time it was opened
        try:
            yield HfApi(endpoint=hub.url, token=hub.token), waits
        finally:
            huggingface_hub.close_session()

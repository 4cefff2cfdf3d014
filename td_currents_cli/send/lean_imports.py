"""Import aiohttp and httpx without what `send` does not use, which takes a fifth of the time of a small run."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, cast

_AUTHORITIES: Final = "SSL_CERT_FILE"


@contextmanager
def lean_imports() -> Iterator[None]:
    """Keep what is imported inside from loading more than it needs. Only before there are other threads.

    Where it finds click, httpx imports its command line, with rich and pygments; without, it has none. aiohttp loads
    the authorities of the system for a TLS context that is never used: `HttpxClient` has its own.
    """
    modules, has_click = cast("dict[str, Any]", sys.modules), "click" in sys.modules
    authorities = os.environ.get(_AUTHORITIES)
    os.environ[_AUTHORITIES] = os.devnull
    if not has_click:
        modules["click"] = None  # documented: an import raises ModuleNotFoundError
    try:
        yield
    finally:
        if not has_click:
            del modules["click"]
        if authorities is None:
            del os.environ[_AUTHORITIES]
        else:
            os.environ[_AUTHORITIES] = authorities

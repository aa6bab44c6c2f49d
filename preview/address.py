"""The address of a live Prometheus: what may be shown of it, and what may not."""

from __future__ import annotations

import base64
from urllib.parse import unquote, urlsplit, urlunsplit

from preview.prometheus import Prometheus, Unreachable


def at(address: str) -> Prometheus:
    """The server at an address; `user:password@` becomes basic authorization, `token@` a bearer token.

    Raises Unreachable if it is none of http or https.
    """
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        # Not repeated: it may hold a password.
        raise Unreachable("--prometheus must be an address such as http://localhost:9090 or https://user:password@host")
    place = f"[{host}]" if ":" in host else host
    url = urlunsplit((parts.scheme, f"{place}:{port}" if port else place, parts.path.rstrip("/"), "", ""))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if password:
        return Prometheus(url, f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}")
    return Prometheus(url, f"Bearer {user}" if user else "")

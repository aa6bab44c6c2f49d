"""Where links lead: from one page of the gallery to the next, out of it, or nowhere without Grafana."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_DASHBOARD = re.compile(r"/d/([\w-]+)(?:[/?].*)?", re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A page of the gallery."""

    title: str
    address: str


Pages = Mapping[str, Page]  # by uid of the dashboard


def address(url: str, pages: Pages) -> str:
    """The address for a page of the gallery; empty where only Grafana has what the link leads to."""
    if found := _DASHBOARD.fullmatch(url):
        return pages[found[1]].address if found[1] in pages else ""
    return url if url.startswith(("https://", "http://")) else ""

"""Weather warnings out of a feed, asked for at most once in ten minutes."""

import feedparser
import httpx
import structlog
from cachetools import TTLCache, cached

from greenhouse.settings import settings


@cached(TTLCache(maxsize=4, ttl=600))
def _warnings(address: str) -> tuple[str, ...]:
    answer = httpx.get(address, timeout=5, follow_redirects=True).raise_for_status()
    return tuple(entry.title for entry in feedparser.parse(answer.content).entries[:5])


def warnings() -> tuple[str, ...]:
    """The titles of the newest warnings; none where no feed is set or it cannot be read."""
    address = settings().feed
    if address is None:
        return ()
    try:
        return _warnings(address)
    except httpx.HTTPError as error:
        structlog.get_logger().warning("feed cannot be read", address=address, error=str(error))
        return ()

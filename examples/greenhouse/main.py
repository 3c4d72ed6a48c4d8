"""Entry script of the web service."""

from greenhouse import __version__, dashboard
from greenhouse.logs import configure
from greenhouse.settings import settings

if __name__ in {"__main__", "__mp_main__"}:
    configure("web").info("starting", version=__version__, port=settings().port)
    dashboard.run()

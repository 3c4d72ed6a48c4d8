"""Readings, charts and plant labels of a small greenhouse."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("greenhouse")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "unknown"

"""Structured logging: JSON lines into the log file where one is set, else readable lines on standard error."""

import sys

import structlog

from greenhouse.settings import settings


def configure(service: str) -> structlog.typing.FilteringBoundLogger:
    path = settings().log
    if path is not None:
        stream = path.open("a", encoding="utf-8", buffering=1)
        renderer = structlog.processors.JSONRenderer()
    else:
        stream = sys.stderr
        renderer = structlog.dev.ConsoleRenderer(colors=False)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.PrintLoggerFactory(file=stream),
    )
    return structlog.get_logger(service=service)

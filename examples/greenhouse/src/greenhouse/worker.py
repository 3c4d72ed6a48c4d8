"""The worker: takes readings at fixed intervals, keeps them, and publishes them where a broker is set."""

import json
import signal
from dataclasses import asdict
from datetime import UTC, datetime

from apscheduler.schedulers.blocking import BlockingScheduler
from paho.mqtt import publish

from greenhouse import __version__, readings, sensors
from greenhouse.logs import configure
from greenhouse.settings import settings


def take() -> int:
    """Takes one reading of every bed; returns how many were kept."""
    new = sensors.read(datetime.now(UTC).replace(microsecond=0))
    kept = readings.append(new)
    if settings().mqtt is not None:
        messages = [
            {"topic": f"greenhouse/{one.bed}", "payload": json.dumps(asdict(one), default=str)} for one in new
        ]
        publish.multiple(messages, hostname=settings().mqtt)
    return kept


def run() -> None:
    log = configure("worker")
    scheduler = BlockingScheduler(timezone="UTC")

    def job() -> None:
        try:
            log.info("readings taken", count=take())
        except Exception:
            log.exception("no readings this time")

    scheduler.add_job(job, "interval", seconds=settings().interval, next_run_time=datetime.now(UTC))
    signal.signal(signal.SIGTERM, lambda *_: scheduler.shutdown(wait=False))
    log.info("starting", version=__version__, interval=settings().interval)
    scheduler.start()

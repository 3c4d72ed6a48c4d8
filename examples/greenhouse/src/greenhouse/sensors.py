"""Where readings come from: a sensor gateway over HTTP, or a simulation where there is none."""

import math
import random
from dataclasses import dataclass
from datetime import datetime

import httpx
from ratelimit import limits, sleep_and_retry
from tenacity import retry, stop_after_attempt, wait_exponential

from greenhouse.settings import settings

BEDS = ("A", "B", "C")


@dataclass(frozen=True)
class Reading:
    time: datetime
    bed: str
    celsius: float
    moisture: float
    lux: float


def simulated(bed: str, time: datetime) -> Reading:
    """What a greenhouse might measure at that time; the same for the same arguments."""
    noise = random.Random(f"{bed} {time:%Y-%m-%d %H:%M}")
    sun = max(0.0, math.sin((time.hour + time.minute / 60 - 6) / 12 * math.pi))
    return Reading(
        time=time,
        bed=bed,
        celsius=round(16 + BEDS.index(bed) + 9 * sun + noise.uniform(-0.5, 0.5), 2),
        moisture=round(58 - 6 * sun + noise.uniform(-2, 2), 1),
        lux=round(18_000 * sun + noise.uniform(0, 40), 0),
    )


@sleep_and_retry
@limits(calls=10, period=1)  # the gateway is a small machine
@retry(stop=stop_after_attempt(3), wait=wait_exponential(max=5), reraise=True)
def _from_gateway(address: str, bed: str, time: datetime) -> Reading:
    answer = httpx.get(f"{address}/beds/{bed}", timeout=5).raise_for_status().json()
    return Reading(time, bed, float(answer["celsius"]), float(answer["moisture"]), float(answer["lux"]))


def read(time: datetime) -> list[Reading]:
    address = settings().gateway
    if address is None:
        return [simulated(bed, time) for bed in BEDS]
    return [_from_gateway(address, bed, time) for bed in BEDS]

"""Units and daylight."""

from datetime import date
from functools import lru_cache

import pint
from astral import LocationInfo
from astral.sun import daylight

from greenhouse.settings import settings


@lru_cache
def units() -> pint.UnitRegistry:
    return pint.UnitRegistry(autoconvert_offset_to_baseunit=True)


def temperature(celsius: float) -> str:
    """A temperature as people read it, in the unit that the settings ask for."""
    if settings().fahrenheit:
        value = units().Quantity(celsius, "degC").to("degF")
        return f"{value.magnitude:.1f} °F"
    return f"{celsius:.1f} °C"


def hours_of_daylight(day: date) -> float:
    place = LocationInfo(latitude=settings().latitude, longitude=settings().longitude)
    try:
        begin, end = daylight(place.observer, date=day)
    except ValueError:  # the sun does not rise, or does not set
        return 0.0 if day.month in (11, 12, 1, 2) else 24.0
    return (end - begin).total_seconds() / 3600

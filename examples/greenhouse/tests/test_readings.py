from datetime import UTC, datetime

from greenhouse import readings, sensors


def test_a_new_greenhouse_is_filled_once():
    assert readings.backfill(hours=2, minutes=30) == 15
    assert readings.backfill(hours=2, minutes=30) == 0
    summary = readings.summary(readings.load(hours=3))
    assert list(summary["bed"]) == ["A", "B", "C"]


def test_the_same_reading_is_kept_once():
    now = datetime.now(UTC).replace(microsecond=0)
    readings.append([sensors.simulated("A", now)])
    readings.append([sensors.simulated("A", now)])
    assert len(readings.load()) == 1

"""Readings as parquet files, one a day, written whole and put in place by renaming."""

import os
from dataclasses import asdict
from datetime import UTC, datetime, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from greenhouse import sensors
from greenhouse.sensors import Reading
from greenhouse.settings import settings

SCHEMA = pa.schema(
    [
        ("time", pa.timestamp("ms", tz="UTC")),
        ("bed", pa.string()),
        ("celsius", pa.float64()),
        ("moisture", pa.float64()),
        ("lux", pa.float64()),
    ]
)


def append(new: list[Reading]) -> int:
    """Adds readings to the files of their days; a reading that is there already is replaced. Returns how many."""
    folder = settings().readings
    folder.mkdir(parents=True, exist_ok=True)
    by_day: dict[str, list[dict]] = {}
    for reading in new:
        by_day.setdefault(f"{reading.time:%Y-%m-%d}", []).append(asdict(reading))
    for day, rows in by_day.items():
        path = folder / f"{day}.parquet"
        table = pa.Table.from_pylist(rows, schema=SCHEMA)
        if path.exists():
            table = pa.concat_tables([pq.read_table(path, schema=SCHEMA), table])
        frame = table.to_pandas().drop_duplicates(["time", "bed"], keep="last").sort_values(["time", "bed"])
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        pq.write_table(pa.Table.from_pandas(frame, schema=SCHEMA, preserve_index=False), temporary)
        temporary.replace(path)
    return len(new)


def load(hours: int = 24) -> pd.DataFrame:
    """The readings of the last hours, oldest first; empty (with the columns) where there are none."""
    folder = settings().readings
    tables = [
        pq.read_table(path, schema=SCHEMA) for path in sorted(folder.glob("*.parquet"))[-(hours // 24 + 2) :]
    ]
    frame = (pa.concat_tables(tables) if tables else SCHEMA.empty_table()).to_pandas()
    since = pd.Timestamp.now(tz="UTC") - pd.Timedelta(hours=hours)
    return frame[frame["time"] >= since].sort_values(["time", "bed"]).reset_index(drop=True)


def summary(frame: pd.DataFrame) -> pd.DataFrame:
    """One row a bed: newest, least, greatest and mean temperature, mean moisture, most light."""
    if frame.empty:
        return pd.DataFrame(columns=["bed", "now", "least", "greatest", "mean", "moisture", "lux"])
    groups = frame.groupby("bed", sort=True)
    return (
        pd.DataFrame(
            {
                "now": groups["celsius"].last(),
                "least": groups["celsius"].min(),
                "greatest": groups["celsius"].max(),
                "mean": groups["celsius"].mean(),
                "moisture": groups["moisture"].mean(),
                "lux": groups["lux"].max(),
            }
        )
        .round(1)
        .reset_index()
    )


def backfill(hours: int = 24, minutes: int = 30) -> int:
    """Fills an empty store with simulated readings, so that a new greenhouse has something to show."""
    if any(settings().readings.glob("*.parquet")):
        return 0
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    times = [now - timedelta(minutes=minutes * step) for step in range(hours * 60 // minutes, -1, -1)]
    return append([sensors.simulated(bed, time) for time in times for bed in sensors.BEDS])

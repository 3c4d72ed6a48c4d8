"""What the planner of layers makes of real deploy histories. Called by bench/run.

Bytes of dependencies over all deploys but the first, as multiples of the bound (each new wheel once), by the most layers
that dependencies may have: for hosts that reuse any layer, and for those that reuse what lies below the lowest change.
And how long a plan takes.
"""

import json
import math
import os
import statistics
import subprocess
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[1]
CAPS = (20, 40, 60, 100)


def ratios(bench, records: list[Path], cap: int) -> dict[str, tuple[float, float]]:
    named = [word for path in records for word in ("--records", str(path))]
    said = subprocess.run([bench.veneer, "replay", "--cap", str(cap), "--json", *named], check=True, capture_output=True, text=True, cwd="/").stdout
    return {one["name"]: (one["veneer"]["blobs"] / one["bound"], one["veneer"]["prefix"] / one["bound"]) for one in json.loads(said)["projects"]}


def print_table(bench, title: str, rows: dict[str, list[float]]) -> None:
    print(f"\nplanner: bytes / bound, {title}\n  {'most layers':<24}" + "".join(f"{cap:9}" for cap in CAPS))
    mean = [math.exp(math.fsum(map(math.log, column)) / len(column)) for column in zip(*rows.values())]
    worst = [max(column) for column in zip(*rows.values())]
    for name, values in (rows | {"geometric mean": mean, "worst": worst}).items():
        print(f"  {name:<24}" + "".join(f"{value:9.3f}" for value in values))
        bench.rows.append({"bench": f"planner: {title}", "way": name, "ratios": dict(zip(map(str, CAPS), values))})


def write_records(path: Path, distributions: int, deploys: int) -> None:
    """A history of an application of so many distributions, of which each deploy changes every hundredth and one more."""
    versions = [1] * distributions
    wheels, sets = [], []
    newest = [0] * distributions
    for deploy in range(deploys):
        for number in range(distributions):
            if deploy == 0 or (number * 7 + deploy) % 100 == 0 or number == deploy % distributions:
                name = f"distribution-{number}"
                newest[number] = len(wheels)
                wheels.append([name, f"1.{versions[number]}", f"{name}-1.{versions[number]}-py3-none-any.whl", f"{number:08x}{versions[number]:08x}",
                               2000 + number * number * 37 % 3_000_000, "w"])
                versions[number] += 1
        sets.append(list(newest))
    lines = [{"format": 1, "project": path.stem}, {"wheels": wheels}, {"sets": sets}, {"dependents": {}}]
    lines += [{"t": 1_700_000_000 + deploy, "c": f"{deploy:040x}", "k": "commit", "set": deploy,
               "app": {"files": 1, "bytes": 1, "z": 1, "changed_files": 0, "removed_files": 0, "changed_bytes": 0, "z_changed": 0}} for deploy in range(deploys)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))


def print_times(bench, deploys: int = 200) -> None:
    """Seconds of the program for one more deploy in a history: reading it, what each way of laying out ships, and veneer's plan."""
    print("\nplanner: milliseconds a deploy, all of `veneer replay`")
    for distributions in (100, 507, 1500):
        seconds = []
        for length in (1, 1 + deploys):
            records = bench.scratch / f"made-{distributions}-{length}.jsonl"
            write_records(records, distributions, length)
            times = []
            for _ in range(bench.rounds + 1):
                started = time.monotonic()
                subprocess.run([bench.veneer, "replay", "--records", str(records), "--json"], check=True, stdout=subprocess.DEVNULL, cwd="/")
                times.append(time.monotonic() - started)
            seconds.append(statistics.median(times[1:]))
        each = (seconds[1] - seconds[0]) / deploys * 1000
        print(f"  {distributions:5} distributions {each:9.2f}")
        bench.rows.append({"bench": "planner: milliseconds a deploy", "way": f"{distributions} distributions", "milliseconds": each})


def run(bench) -> None:
    """On the histories of the corpus, if it is there, and on made ones."""
    print_times(bench)
    records = sorted((Path(os.environ.get("VENEER_CORPUS", SOURCE.parent / "shared" / "corpus")) / "history").glob("*.jsonl.xz"))
    if not records:
        print("\nplanner: no histories here")
        return
    by_cap = [ratios(bench, records, cap) for cap in CAPS]
    for place, title in enumerate(("hosts that reuse any layer", "hosts that reuse a prefix of the layers")):
        print_table(bench, title, {name: [found[name][place] for found in by_cap] for name in by_cap[0]})

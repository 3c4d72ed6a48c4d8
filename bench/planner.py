"""What the planner of layers makes of real deploy histories. Called by bench/run.

Bytes of dependencies over all deploys but the first, as multiples of the bound (each new wheel once), by the most layers
that dependencies may have: for hosts that reuse any layer, and for those that reuse what lies below the lowest change.
"""

import json
import math
import os
import subprocess
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


def run(bench) -> None:
    """On the histories of the corpus, if it is there."""
    records = sorted((Path(os.environ.get("VENEER_CORPUS", SOURCE.parent / "shared" / "corpus")) / "history").glob("*.jsonl.xz"))
    if not records:
        print("\nplanner: no histories here")
        return
    by_cap = [ratios(bench, records, cap) for cap in CAPS]
    for place, title in enumerate(("hosts that reuse any layer", "hosts that reuse a prefix of the layers")):
        print_table(bench, title, {name: [found[name][place] for found in by_cap] for name in by_cap[0]})

"""The API for other machines: plants, readings, metrics, health. Served by uvicorn on a port of its own."""

import uvicorn
from fastapi import FastAPI, HTTPException, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Gauge, generate_latest

from greenhouse import __version__, plants, readings
from greenhouse.logs import configure
from greenhouse.settings import settings

app = FastAPI(title="greenhouse", version=__version__)


@app.get("/healthz")
def health() -> dict[str, str | int]:
    return {"status": "ok", "version": __version__, "plants": len(plants.all_plants())}


@app.get("/plants")
def list_plants() -> list[plants.Plant]:
    return plants.all_plants()


@app.get("/plants/{number}")
def one_plant(number: int) -> plants.Plant:
    found = plants.plant(number)
    if found is None:
        raise HTTPException(404, "no such plant")
    return found


@app.get("/readings")
def list_readings(hours: int = 24) -> Response:
    frame = readings.load(hours)
    return Response(frame.to_json(orient="records", date_format="iso"), media_type="application/json")


@app.get("/metrics")
def metrics() -> Response:
    registry = CollectorRegistry()
    celsius = Gauge("greenhouse_celsius", "Newest temperature of a bed", ["bed"], registry=registry)
    for row in readings.summary(readings.load()).itertuples():
        celsius.labels(row.bed).set(row.now)
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)


def run() -> None:
    log = configure("api")
    log.info("starting", version=__version__, port=settings().api_port)
    uvicorn.run(app, host=settings().host, port=settings().api_port, log_level="warning")


if __name__ == "__main__":
    run()

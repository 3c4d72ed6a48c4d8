"""The dashboard: the page, and the files that it links to."""

from datetime import date

from fastapi import HTTPException, Response
from nicegui import app, ui

from greenhouse import __version__, labels, plants, readings, reports, weather
from greenhouse.climate import hours_of_daylight, temperature
from greenhouse.settings import settings

HEADING = "Greenhouse"

SPREADSHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@app.get("/label/{number}.pdf")
def label(number: int) -> Response:
    plant = plants.plant(number)
    if plant is None:
        raise HTTPException(404, "no such plant")
    name = f'inline; filename="{plant.slug}.pdf"'
    return Response(labels.pdf(plant), media_type="application/pdf", headers={"Content-Disposition": name})


@app.get("/icon/{name}.svg")
def icon(name: str) -> Response:
    try:
        return Response(labels.icon(name), media_type="image/svg+xml")
    except KeyError:
        raise HTTPException(404, "no such icon") from None


@app.get("/chart.png")
def chart() -> Response:
    return Response(reports.chart(readings.load()), media_type="image/png")


@app.get("/readings.xlsx")
def spreadsheet() -> Response:
    return Response(reports.spreadsheet(readings.load(hours=7 * 24)), media_type=SPREADSHEET)


@app.get("/healthz")
def health() -> dict[str, str]:
    return {"status": "ok", "version": __version__}


def _beds() -> None:
    columns = [
        {"name": name, "field": name, "label": title, "align": "left" if name == "bed" else "right"}
        for name, title in (
            ("bed", "Bed"),
            ("now", "Now"),
            ("least", "Least"),
            ("greatest", "Greatest"),
            ("moisture", "Moisture %"),
            ("lux", "Most light lx"),
        )
    ]
    rows = readings.summary(readings.load()).to_dict("records")
    for row in rows:
        for field in ("now", "least", "greatest"):
            row[field] = temperature(row[field])
    ui.table(columns=columns, rows=rows, row_key="bed").props("flat dense")


def _plants() -> None:
    for plant in plants.all_plants():
        with ui.row().classes("items-center"):
            ui.image(f"/icon/{plant.icon}.svg").classes("w-6")
            ui.label(plant.name).classes("font-bold")
            ui.label(plant.latin).classes("italic")
            ui.link("label", f"/label/{plant.id}.pdf")


@ui.page("/")
def index() -> None:
    with ui.row().classes("items-center"):
        ui.image("/icon/greenhouse.svg").classes("w-10")
        ui.label(HEADING).classes("text-2xl")
    ui.label(f"{hours_of_daylight(date.today()):.1f} hours of daylight today")
    for warning in weather.warnings():
        ui.label(warning).classes("text-red-700")
    _beds()
    ui.image("/chart.png").classes("w-full max-w-3xl")
    _plants()
    ui.link("all readings of the week", "/readings.xlsx")
    ui.label(f"version {__version__}").classes("text-xs text-gray-500")


def run() -> None:
    readings.backfill()
    plants.engine()
    ui.run(
        host=settings().host,
        port=settings().port,
        title=HEADING,
        favicon=labels.icon("greenhouse"),
        reload=False,
        show=False,
        show_welcome_message=False,
    )

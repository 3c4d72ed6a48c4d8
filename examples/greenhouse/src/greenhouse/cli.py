"""The command line: greenhouse serve, api, work, plants, add, label, read."""

from pathlib import Path
from typing import Annotated

import typer

from greenhouse import __version__

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Readings, charts and labels of a greenhouse."
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


@app.command()
def serve() -> None:
    """Serve the dashboard."""
    from greenhouse import dashboard

    dashboard.run()


@app.command()
def api() -> None:
    """Serve the API."""
    from greenhouse import api

    api.run()


@app.command()
def work() -> None:
    """Take readings for ever."""
    from greenhouse import worker

    worker.run()


@app.command()
def read() -> None:
    """Take one reading of every bed now."""
    from greenhouse import worker

    typer.echo(f"{worker.take()} readings kept")


@app.command("plants")
def list_plants() -> None:
    """List the plants."""
    from greenhouse import plants

    for plant in plants.all_plants():
        typer.echo(f"{plant.id:4} {plant.bed} {plant.name} ({plant.latin})")


@app.command()
def add(name: str, latin: str, bed: str) -> None:
    """Add a plant."""
    from greenhouse import plants

    typer.echo(plants.add(name, latin, bed).id)


@app.command()
def label(number: int, output: Path) -> None:
    """Write the label of a plant as PDF."""
    from greenhouse import labels, plants

    plant = plants.plant(number)
    if plant is None:
        typer.echo(f"no plant has the number {number}", err=True)
        raise typer.Exit(1)
    output.write_bytes(labels.pdf(plant))

"""Plant labels as PDF: a Jinja2 template with an icon and a QR code, set by WeasyPrint."""

import base64
import io
from functools import lru_cache
from importlib.resources import files

import jinja2
import qrcode
import weasyprint

from greenhouse.climate import temperature
from greenhouse.plants import Plant
from greenhouse.settings import settings


@lru_cache
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("greenhouse", "templates")
    environment = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)
    environment.filters["temperature"] = temperature
    return environment


def icon(name: str) -> str:
    """The SVG source of an icon; KeyError for a name that is none."""
    source = files("greenhouse") / "icons" / f"{name}.svg"
    if not name.isalpha() or not source.is_file():
        raise KeyError(name)
    return source.read_text("utf-8")


def _data_address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _qr_code(text: str) -> bytes:
    picture = io.BytesIO()
    qrcode.make(text, border=0, box_size=8).save(picture, format="PNG")
    return picture.getvalue()


def html(plant: Plant) -> str:
    return (
        _templates()
        .get_template("label.html.j2")
        .render(
            plant=plant,
            icon=_data_address("image/svg+xml", icon(plant.icon).encode()),
            qr=_data_address("image/png", _qr_code(f"{settings().address}/label/{plant.id}.pdf")),
        )
    )


def pdf(plant: Plant) -> bytes:
    return weasyprint.HTML(string=html(plant)).write_pdf()

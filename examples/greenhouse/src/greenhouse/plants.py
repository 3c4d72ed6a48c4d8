"""The plants, in an SQLite database that web, API and worker share."""

from functools import lru_cache
from importlib.resources import files

import yaml
from slugify import slugify
from sqlalchemy import event
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.schema import CreateTable
from sqlmodel import Field, Session, SQLModel, create_engine, select

from greenhouse.settings import settings


class Plant(SQLModel, table=True):
    id: int | None = Field(default=None, primary_key=True)
    slug: str = Field(unique=True)
    name: str
    latin: str
    icon: str
    bed: str
    minimum: float
    maximum: float
    moisture: float


@lru_cache
def engine():
    """The engine, with the table made and filled. Safe when several processes come first at the same time."""
    settings().data.mkdir(parents=True, exist_ok=True)
    made = create_engine(f"sqlite:///{settings().database}", connect_args={"timeout": 30})

    @event.listens_for(made, "connect")
    def _wait_for_writers(connection, _record):
        connection.execute("PRAGMA busy_timeout = 30000")

    with made.begin() as connection:
        connection.execute(CreateTable(Plant.__table__, if_not_exists=True))
        for row in yaml.safe_load((files("greenhouse") / "catalogue.yaml").read_text("utf-8")):
            values = {"slug": slugify(row["name"]), **row}
            connection.execute(insert(Plant.__table__).values(values).on_conflict_do_nothing())
    return made


def all_plants() -> list[Plant]:
    with Session(engine()) as session:
        return list(session.exec(select(Plant).order_by(Plant.bed, Plant.name)))


def plant(number: int) -> Plant | None:
    with Session(engine()) as session:
        return session.get(Plant, number)


def add(name: str, latin: str, bed: str, icon: str = "leaf") -> Plant:
    new = Plant(
        slug=slugify(name), name=name, latin=latin, icon=icon, bed=bed, minimum=10, maximum=30, moisture=50
    )
    with Session(engine(), expire_on_commit=False) as session:
        session.add(new)
        session.commit()
        session.refresh(new)
    return new

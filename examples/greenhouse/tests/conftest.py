import pytest

from greenhouse import plants
from greenhouse.settings import settings


@pytest.fixture(autouse=True)
def own_data(tmp_path, monkeypatch):
    monkeypatch.setenv("GREENHOUSE_DATA", str(tmp_path / "data"))
    settings.cache_clear()
    plants.engine.cache_clear()
    yield
    settings.cache_clear()
    plants.engine.cache_clear()

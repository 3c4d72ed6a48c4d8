from fastapi.testclient import TestClient

from greenhouse.api import app


def test_health_and_plants():
    client = TestClient(app)
    assert client.get("/healthz").json()["status"] == "ok"
    assert {plant["slug"] for plant in client.get("/plants").json()} >= {"basil", "aloe"}
    assert client.get("/plants/999").status_code == 404

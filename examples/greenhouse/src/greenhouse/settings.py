"""Everything that can be set from outside, by environment variables named GREENHOUSE_..."""

from functools import lru_cache
from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="GREENHOUSE_")

    host: str = "127.0.0.1"
    port: int = 8080
    api_port: int = 8081
    data: Path = Path("data")
    log: Path | None = None
    interval: int = 60  # seconds between two readings of the worker
    gateway: str | None = None  # address of a sensor gateway; without one the sensors are simulated
    mqtt: str | None = None  # host of a broker that new readings are published to
    feed: str | None = None  # address of a weather warning feed
    latitude: float = 48.14
    longitude: float = 11.58
    fahrenheit: bool = False

    @property
    def database(self) -> Path:
        return self.data / "greenhouse.sqlite"

    @property
    def readings(self) -> Path:
        return self.data / "readings"

    @property
    def address(self) -> str:
        return f"http://{self.host}:{self.port}"


@lru_cache
def settings() -> Settings:
    return Settings()

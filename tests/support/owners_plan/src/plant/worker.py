"""Says that it is there."""

import time
from pathlib import Path

if __name__ == "__main__":
    while True:
        Path("/tmp/worker").touch()
        time.sleep(1)

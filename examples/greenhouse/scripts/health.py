#!/app/.venv/bin/python
"""Health check for the compose file: exit 0 if the API answers that it is well. The image has no curl."""

import json
import os
import sys
import urllib.request

host = os.environ.get("GREENHOUSE_HOST", "127.0.0.1")
port = os.environ.get("GREENHOUSE_API_PORT", "8081")
try:
    with urllib.request.urlopen(f"http://{host}:{port}/healthz", timeout=3) as answer:
        well = json.load(answer)["status"] == "ok"
except (OSError, ValueError, KeyError) as error:
    sys.exit(f"unhealthy: {error}")
sys.exit(0 if well else "unhealthy")

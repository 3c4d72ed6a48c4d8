"""Answers with the name of an asset, or with a label as PDF."""

import http.server
import os
from pathlib import Path

ASSETS = Path(os.environ.get("PLANT_ASSETS", Path(__file__).parent / "assets"))


def label() -> bytes:
    import weasyprint

    return weasyprint.HTML(string="<h1>Ficus</h1>").write_pdf()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = label() if self.path == "/label.pdf" else " ".join(sorted(path.name for path in ASSETS.iterdir())).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    port = int(os.environ.get("PLANT_PORT", "8000"))
    http.server.ThreadingHTTPServer(("0.0.0.0", port), Handler).serve_forever()

#!/usr/bin/env python3
"""The page of `veneer replay --html` in a real browser: light, dark and 400 pixels wide, and nothing is fetched for it.
With VENEER_TEST_ALL=1: chromium is large."""

import http.server
import json
import os
import shutil
import struct
import subprocess
import sys
import threading
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402


def pixels(path: Path) -> tuple[int, int, list[bytes]]:
    """Width, height and rows of an 8-bit RGB or RGBA picture in PNG form."""
    data = path.read_bytes()
    width, height, _, kind = struct.unpack(">IIBB", data[16:26])
    packed, place = b"", 8
    while place < len(data):
        length, name = struct.unpack(">I4s", data[place:place + 8])
        packed += data[place + 8:place + 8 + length] if name == b"IDAT" else b""
        place += length + 12
    plain, size = zlib.decompress(packed), 4 if kind == 6 else 3
    rows, before = [], bytes(width * size)
    for row in range(height):
        line = plain[row * (width * size + 1):(row + 1) * (width * size + 1)]
        method, line = line[0], bytearray(line[1:])
        for i in range(len(line)):
            left, up, corner = line[i - size] if i >= size else 0, before[i], before[i - size] if i >= size else 0
            guess = left + up - corner
            paeth = min((left, up, corner), key=lambda value: abs(guess - value))
            line[i] = (line[i] + (0, left, up, (left + up) // 2, paeth)[method]) & 255
        before = bytes(line)
        rows.append(b"".join(before[i:i + 3] for i in range(0, len(before), size)))
    return width, height, rows


if os.environ.get("VENEER_TEST_ALL"):

    class Page(fixtures.SystemTest):
        def setUp(self):
            super().setUp()
            lines = [{"project": "shop"}, {"wheels": [[f"d{i}", "1", "a.whl", f"h{i}", 1000 << i % 12, "w"] for i in range(60)]},
                     {"sets": [[*range(i, i + 40)] for i in range(20)]}, {"dependents": {}}, *({"set": i // 2, "lock": str(i // 2)} for i in range(40))]
            (self.folder / "records.jsonl").write_text("\n".join(json.dumps(line) for line in lines))
            self.page = self.folder / "replay.html"
            self.veneer("replay", "--records", self.folder / "records.jsonl", "--html", self.page, cwd=self.folder)
            requests = self.requests = []
            page = self.page.read_bytes()

            class Handler(http.server.BaseHTTPRequestHandler):
                def do_GET(self):
                    requests.append((self.headers["Host"], self.path))
                    self.send_response(200 if self.path == "/" else 404)
                    self.send_header("Content-Type", "text/html")
                    self.end_headers()
                    self.wfile.write(page if self.path == "/" else b"")

                def log_message(self, *_):
                    pass

            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            threading.Thread(target=self.server.serve_forever, daemon=True).start()
            self.addCleanup(self.server.shutdown)

        def look(self, name: str, width: int, *options: str) -> list[bytes]:
            picture = self.folder / f"{name}.png"
            address = f"127.0.0.1:{self.server.server_port}"
            # Whatever else the page asks for, of whatever host, arrives at this server too.
            subprocess.run([shutil.which("chromium"), "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={self.folder}/browser",
                            "--disable-background-networking", "--disable-component-update", "--disable-features=NetworkTimeServiceQuerying",
                            f"--host-resolver-rules=MAP * {address}", *options,
                            f"--window-size={width},1200", f"--screenshot={picture}", f"http://page.example:{self.server.server_port}/"],
                           check=True, capture_output=True, timeout=300)
            found_width, height, rows = pixels(picture)
            self.assertEqual((found_width, height), (width, 1200))
            return rows

        def test_it_can_be_read(self):
            light = self.look("light", 800)
            dark = self.look("dark", 800, "--force-dark-mode", "--blink-settings=preferredColorScheme=0")
            narrow = self.look("narrow", 400)
            brightness = [sum(b"".join(rows)) / sum(map(len, rows)) for rows in (light, dark, narrow)]
            self.assertGreater(brightness[0], 200)
            self.assertLess(brightness[1], 60)
            self.assertGreater(brightness[2], 200)
            for rows in (light, dark, narrow):  # the seven lines have colours of their own
                colors = {row[i:i + 3] for row in rows for i in range(0, len(row), 3)}
                self.assertGreaterEqual(len({color for color in colors if max(color) - min(color) > 60}), 6)
            # Nothing is cut off at the right edge: the last pixels of all rows are paper.
            self.assertEqual(len({row[-9:] for row in narrow}), 1)
            page = (f"page.example:{self.server.server_port}", "/")
            self.assertEqual({request for request in self.requests if request[1] != "/favicon.ico"}, {page})


if __name__ == "__main__":
    fixtures.main()

#!/usr/bin/env python3
"""What is said of hosts that cannot be reached, with a real ssh."""

import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402


class Hints(fixtures.SystemTest):
    def test_hint_for_an_address(self):
        """What is proposed to try by hand leads ssh to the very same host, port and user, also where an address has colons."""
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            port = str(nobody.getsockname()[1])
            for host, known in (("[::1]", "::1"), ("[fe80::1%lo]", "fe80::1%lo"), ("127.0.0.1", "127.0.0.1")):
                with self.subTest(host):
                    said = self.veneer("history", f"ssh://me@{host}:{port}", "--as", "shop:live", cwd=self.folder, code=5).stderr
                    [proposed] = re.findall(r"`ssh (.+)`", said)
                    read = dict(line.partition(" ")[::2] for line in subprocess.run(["ssh", "-G", *shlex.split(proposed)], check=True, capture_output=True, text=True).stdout.splitlines())
                    self.assertEqual((read["hostname"], read["port"], read["user"]), (known, port, "me"), said)


if __name__ == "__main__":
    fixtures.main()

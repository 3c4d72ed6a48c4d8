#!/usr/bin/env python3
"""The owners' plan by `veneer init` on a real engine: its three services are healthy, a PDF is rendered, and each command of the
generated page and target of make is run as it stands there, over a real ssh. With VENEER_TEST_ALL=1: the packages are large."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support" / "python"))
import fixtures  # noqa: E402
import real_registry  # noqa: E402
from ssh_host import SshHost, start_engine  # noqa: E402

PLAN = fixtures.SOURCE / "tests" / "support" / "owners_plan"
LIVE_WITHIN = 120  # seconds

if os.environ.get("VENEER_TEST_ALL"):

    class OwnersPlan(fixtures.SystemTest):
        @classmethod
        def setUpClass(cls):
            cls.facts = start_engine(cls, "docker20@init")

        def setUp(self):
            super().setUp()
            self.cache = fixtures.test_cache() / "owners-plan-cache"
            self.host = SshHost(self.folder / "host", {"docker": "docker20@init"}, variables=(f"XDG_STATE_HOME={self.folder}/host/state",), alias="server")
            self.addCleanup(self.host.close)
            self.host.add_program("docker-compose", f'#!/bin/sh\nDOCKER_HOST={self.facts["DOCKER_HOST"]} exec {shutil.which("docker-compose")} "$@"\n')
            ssh = self.host.local_programs / "ssh"  # who logs in is of no matter here
            ssh.write_text('#!/bin/bash\nwords=()\nfor word; do [ "$word" = user ] && word=root; words+=("$word"); done\n'
                           f'exec /usr/bin/ssh -F {self.host.folder}/ssh_config "${{words[@]}}"\n')
            program = self.host.local_programs / "veneer"
            program.symlink_to(fixtures.binary())
            for name in ("docker", "docker-compose"):
                (self.host.local_programs / name).symlink_to(self.host.programs / name)

        def shell(self, script: str) -> str:
            result = subprocess.run(["bash", "-e", "-c", script], cwd=self.project, capture_output=True, text=True,
                                    env=self.environment(PATH=self.host.path()))
            self.assertEqual(result.returncode, 0, f"{script}\n{result.stdout}\n{result.stderr}")
            return result.stdout

        def docker(self, *words: str) -> str:
            return subprocess.run([str(self.host.programs / "docker"), *words], check=True, capture_output=True, text=True, cwd="/tmp").stdout.strip()

        def well(self) -> None:
            end = time.monotonic() + LIVE_WITHIN
            while True:
                states = self.docker("ps", "-a", "--filter", "label=com.docker.compose.project=plant", "--format", "{{.Names}} {{.Status}}").splitlines()
                if len(states) == 3 and all("(healthy)" in state for state in states):
                    return
                self.assertLess(time.monotonic(), end, states)
                time.sleep(0.5)

        def test_from_the_plan_to_healthy_services(self):
            registry = real_registry.RealRegistry(self.folder / "registry")
            self.addCleanup(registry.close)
            self.project = self.folder / "plant"
            shutil.copytree(PLAN, self.project)
            for name in ("Dockerfile", "compose.yaml"):
                file = self.project / name
                file.write_text(file.read_text().replace("ghcr.io", registry.address))
            (self.project / ".gitignore").write_text(".veneer/\n")
            fixtures.git(self.project, "init", "-q", "-b", "main")
            fixtures.commit_all(self.project, "Without a lock")  # its version comes from git, for uv too
            subprocess.run(["uv", "lock", "--quiet"], cwd=self.project, check=True, env=self.environment())
            fixtures.commit_all(self.project, "As it was")
            fixtures.git(self.project, "tag", "v1.0")
            self.veneer("init", cwd=self.project)
            fixtures.commit_all(self.project, "By veneer init")
            self.shell("make -f veneer.mk image push")
            image = f"{registry.address}/acme/plant:latest"
            self.shell(f"veneer ship ssh://user@server --as {image}")
            site = self.folder / "site"
            site.mkdir()
            alone = (self.project / "compose.yaml").read_text().replace("unless-stopped\n", "unless-stopped\n  network_mode: none\n")
            (site / "compose.yaml").write_text(alone.replace('    ports: ["8000:8000"]\n', ""))
            compose = [str(self.host.programs / "docker-compose"), "-f", str(site / "compose.yaml"), "-p", "plant"]
            subprocess.run([*compose, "up", "-d"], check=True, capture_output=True, cwd=site)
            self.addCleanup(subprocess.run, [*compose, "down", "-t", "1"], capture_output=True, cwd=site)
            self.well()
            label = ["exec", "plant_web_1", "/app/.venv/bin/python", "-c", "import plant.web; print(plant.web.label()[:5])"]
            self.assertEqual(self.docker(*label), "b'%PDF-'")
            size = sum(layer["size"] for layer in self.json("inspect", "--json", cwd=self.project)["layers"])
            print(f"the image of the plan: {size / 1e6:.1f} MB compressed", flush=True)

            web = self.project / "src/plant/web.py"
            web.write_text(web.read_text() + "# edited\n")
            fixtures.commit_all(self.project, "Edit")
            self.shell("make -f veneer.mk deploy HOST=ssh://user@server")
            self.well()
            self.shell("make -f veneer.mk rollback HOST=ssh://user@server")
            self.well()
            page = (self.project / "docs/container-image.md").read_text()
            for block in re.findall(r"```sh\n(.*?)```", page, re.DOTALL):
                if "docker compose" not in block:  # version 1 is a program of its own
                    self.shell(block)
                else:
                    self.shell(block.replace("docker compose", f"docker-compose -f {site}/compose.yaml -p plant"))
            self.well()


if __name__ == "__main__":
    fixtures.main()

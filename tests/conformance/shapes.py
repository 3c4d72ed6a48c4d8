"""Projects of many shapes, made of real distributions: what an image holds is compared with what `uv sync` makes for each.

A shape writes a project into a folder and locks it with uv as of a fixed day, so that every run sees the same lock.
"""

import dataclasses
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import fixtures

DAY = "2026-10-01T00:00:00Z"
PACKAGED = '[build-system]\nrequires = ["uv_build>=0.8,<2"]\nbuild-backend = "uv_build"\n'


def metadata(name: str, dependencies: str = "", more: str = "") -> str:
    listed = ", ".join(f'"{one}"' for one in dependencies.split())
    return f'[project]\nname = "{name}"\nversion = "1.0"\nrequires-python = "==3.11.*"\ndependencies = [{listed}]\n{more}'


def write(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def workspace(folder: Path) -> None:
    """Three members; the one at the top needs the others, one by an extra."""
    write(folder, "pyproject.toml", metadata("space", "attrs", '[project.optional-dependencies]\nreports = ["space-reports"]\n') + PACKAGED +
          '[tool.uv.workspace]\nmembers = ["members/*"]\n[tool.uv.sources]\nspace-core = { workspace = true }\nspace-reports = { workspace = true }\n'
          '[tool.veneer]\nextras = ["reports"]\n')
    write(folder, "src/space/__init__.py", "def main(): pass\n")
    write(folder, "members/core/pyproject.toml", metadata("space-core", "click", '[project.scripts]\ncore = "space_core:main"\n') + PACKAGED)
    write(folder, "members/core/src/space_core/__init__.py", "def main(): pass\n")
    write(folder, "members/reports/pyproject.toml", metadata("space-reports", "space-core jinja2") + PACKAGED +
          "[tool.uv.sources]\nspace-core = { workspace = true }\n")
    write(folder, "members/reports/src/space_reports/__init__.py", "import jinja2\n")
    write(folder, "members/reports/src/space_reports/page.html", "<p>{{ text }}</p>\n")


def conflicting_extras(folder: Path) -> None:
    write(folder, "pyproject.toml", metadata("choice", "click", '[project.optional-dependencies]\nold = ["attrs==22.2.0"]\nnew = ["attrs==25.3.0"]\n') +
          '[tool.uv]\nconflicts = [[{ extra = "old" }, { extra = "new" }]]\n[tool.veneer]\nextras = ["old"]\n')
    write(folder, "main.py", "import attr\n")


def git_source(folder: Path) -> None:
    """A package in a subdirectory of a repository on this machine."""
    repository = folder.parent / f"{folder.name}.repository"
    shutil.rmtree(repository, ignore_errors=True)
    write(repository, "python/pyproject.toml", metadata("from-git", "packaging") + PACKAGED)
    write(repository, "python/src/from_git/__init__.py", "VALUE = 1\n")
    fixtures.git(repository, "init", "-q", "-b", "main")
    fixtures.commit_all(repository, "First")
    write(folder, "pyproject.toml", metadata("fetches", "from-git") +
          f'[tool.uv.sources]\nfrom-git = {{ git = "file://{repository}", subdirectory = "python" }}\n')
    write(folder, "main.py", "import from_git\n")


def path_wheel(folder: Path) -> None:
    wheel = fixtures.wheel(folder / "wheels", "part_one", "1.0", {"part_one/__init__.py": "VALUE = 1\n", "part_one-1.0.data/data/share/part/one.txt": "one\n",
                           "part_one-1.0.data/scripts/part-run": "#!python\nprint(1)\n"}, entry_points="[console_scripts]\npart = part_one:main\n")
    write(folder, "pyproject.toml", metadata("local", "part-one rich") + f'[tool.uv.sources]\npart-one = {{ path = "wheels/{wheel.name}" }}\n')
    write(folder, "main.py", "import part_one\n")


@dataclasses.dataclass(frozen=True)
class Shape:
    dependencies: str = ""  # of a project that is no package
    make: Callable[[Path], None] | None = None
    in_ci: bool = False
    extras: tuple = ()


SHAPES = {
    "django": Shape("django gunicorn whitenoise psycopg[binary] django-debug-toolbar"),
    "fastapi": Shape("fastapi[standard] sqlalchemy alembic uvloop", in_ci=True),
    "flask": Shape("flask flask-login flask-wtf celery[redis]"),
    "nicegui": Shape("nicegui"),
    "streamlit": Shape("streamlit"),
    "frames": Shape("pandas pyarrow polars duckdb"),
    "science": Shape("scikit-learn matplotlib scipy"),
    "pages": Shape("weasyprint pillow lxml reportlab", in_ci=True),
    "queues": Shape("aiohttp aiokafka dramatiq[redis] arq aio-pika"),
    "grpc": Shape("grpcio grpcio-tools grpcio-health-checking googleapis-common-protos"),
    "google": Shape("google-cloud-storage google-cloud-bigquery google-cloud-pubsub"),
    "azure": Shape("azure-storage-blob azure-identity azure-keyvault-secrets azure-mgmt-resource"),
    "zope": Shape("zope.interface zope.component zope.schema ZODB pyramid", in_ci=True),
    "vision": Shape("opencv-python-headless numpy imageio"),
    "secrets": Shape("cryptography pynacl bcrypt argon2-cffi paramiko"),
    "notebooks": Shape("jupyterlab ipywidgets", in_ci=True),
    "ansible": Shape("ansible"),
    "tensors": Shape("onnxruntime tokenizers safetensors"),
    "workspace": Shape(make=workspace, in_ci=True, extras=("reports",)),
    "conflicts": Shape(make=conflicting_extras, extras=("old",)),
    "git": Shape(make=git_source, in_ci=True),
    "wheel": Shape(make=path_wheel, in_ci=True),
    "sources": Shape("docopt odfpy python-json-logger", in_ci=True),  # the first two have no wheel
}


def make(name: str, folder: Path, environment: dict) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shape = SHAPES[name]
    if shape.make:
        shape.make(folder)
    else:
        write(folder, "pyproject.toml", metadata(name + "-shape", shape.dependencies))
        write(folder, "main.py", "print('hello')\n")
    write(folder, ".gitignore", ".veneer/\n.venv/\n")
    done = subprocess.run(["uv", "lock", "--quiet", "--exclude-newer", DAY], cwd=folder, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise AssertionError(f"uv lock of {name}: {done.stderr}")
    fixtures.git(folder, "init", "-q", "-b", "main")
    fixtures.commit_all(folder, "First")

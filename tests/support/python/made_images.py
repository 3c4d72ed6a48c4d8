"""OCI layouts of images whose layers a test makes up."""

import gzip
import hashlib
import json
import random
from pathlib import Path

import layouts

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def make_image(folder: Path, layers: list[bytes], tag: str = "1", cmd: str = "run") -> Path:
    """An OCI layout of an image with these layers (tars)."""
    blobs = folder / "blobs" / "sha256"
    blobs.mkdir(parents=True, exist_ok=True)

    def write(data: bytes, media_type: str) -> dict:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}

    packed = [write(gzip.compress(layer, 1 if len(layer) < 1 << 20 else 0, mtime=0), "application/vnd.oci.image.layer.v1.tar+gzip") for layer in layers]
    config = write(json.dumps({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": [cmd]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]},
        "history": [{"created_by": f"layer {number}"} for number in range(len(layers))]}).encode(), "application/vnd.oci.image.config.v1+json")
    manifest = write(json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": packed}).encode(), MANIFEST)
    manifest["annotations"] = {"org.opencontainers.image.ref.name": tag}
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    return folder


def layer(name: str, size: int = 0) -> bytes:
    return layouts.tar({name: random.Random(name).randbytes(size or 300)})


def manifest_of(layout: Path) -> dict:
    index = json.loads((layout / "index.json").read_text())
    return json.loads((layout / "blobs" / "sha256" / index["manifests"][0]["digest"].split(":")[1]).read_bytes())


def digests(layout: Path) -> list[str]:
    manifest = manifest_of(layout)
    return [manifest["config"]["digest"], *(one["digest"] for one in manifest["layers"])]


def image_digest(layout: Path) -> str:
    return json.loads((layout / "index.json").read_text())["manifests"][-1]["digest"]

#!/usr/bin/env python3
"""Writes a small runnable image as an archive that every engine loads (OCI index, manifest.json, both name annotations).

    tiny_image.py OUTPUT.tar --busybox PATH --tag NAME:TAG [--layer FILE=TEXT]... [--command WORD]...

The lowest layer holds a static busybox as /bin/busybox and /bin/sh; each --layer puts one file with that text on top.
Layers are plain tars, so blob digest and diff ID are equal. The bytes depend on the arguments only.
"""

import argparse
import hashlib
import io
import json
import tarfile
from pathlib import Path

LAYER = "application/vnd.oci.image.layer.v1.tar"
CONFIG = "application/vnd.oci.image.config.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


def digest(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def tar(entries):
    """A tar of (path, content or None for a folder or Path for a symlink's target, mode)."""
    output = io.BytesIO()
    with tarfile.open(fileobj=output, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, content, mode in entries:
            entry = tarfile.TarInfo(path)
            entry.mode = mode
            if content is None:
                entry.type = tarfile.DIRTYPE
                archive.addfile(entry)
            elif isinstance(content, Path):
                entry.type, entry.linkname = tarfile.SYMTYPE, str(content)
                archive.addfile(entry)
            else:
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
    return output.getvalue()


def layers(busybox, files):
    yield tar([("bin", None, 0o755), ("bin/busybox", busybox, 0o755), ("bin/sh", Path("busybox"), 0o777)])
    for name, text in files:
        folders = [str(parent) for parent in reversed(Path(name).parents) if str(parent) not in (".", "/")]
        yield tar([*((folder, None, 0o755) for folder in folders), (name, text.encode(), 0o644)])


def archive(blobs_of_layers, tag, command, machine="amd64"):
    """The archive's bytes. `tag` is repository:tag; the OCI annotation spells it out in full."""

    def encode(value):
        return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    def descriptor(media_type, content):
        return {"mediaType": media_type, "digest": digest(content), "size": len(content)}

    config = encode(
        {
            "architecture": machine,
            "os": "linux",
            "created": "2020-01-01T00:00:00Z",
            "config": {"Cmd": command, "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [digest(layer) for layer in blobs_of_layers]},
            "history": [{"created_by": f"layer {number}"} for number in range(len(blobs_of_layers))],
        }
    )
    manifest = encode(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": descriptor(CONFIG, config),
            "layers": [descriptor(LAYER, layer) for layer in blobs_of_layers],
        }
    )
    full_name = tag if "/" in tag else f"docker.io/library/{tag}"
    names = {"io.containerd.image.name": full_name, "org.opencontainers.image.ref.name": full_name}
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [{**descriptor(MANIFEST, manifest), "annotations": names}],
    }

    def path(content):
        return f"blobs/sha256/{digest(content).removeprefix('sha256:')}"

    legacy = [{"Config": path(config), "RepoTags": [tag], "Layers": [path(layer) for layer in blobs_of_layers]}]
    blobs = {path(content): content for content in (*blobs_of_layers, config, manifest)}
    return tar(
        [
            ("blobs", None, 0o755),
            ("blobs/sha256", None, 0o755),
            *((name, content, 0o644) for name, content in sorted(blobs.items())),
            ("index.json", encode(index), 0o644),
            ("manifest.json", encode(legacy), 0o644),
            ("oci-layout", encode({"imageLayoutVersion": "1.0.0"}), 0o644),
        ]
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("output", type=Path)
    parser.add_argument("--busybox", type=Path, required=True, help="a statically linked busybox")
    parser.add_argument("--tag", required=True)
    parser.add_argument("--layer", action="append", default=[], metavar="FILE=TEXT")
    parser.add_argument("--command", action="append", metavar="WORD", help="default: /bin/sh")
    arguments = parser.parse_args()
    files = [tuple(layer.split("=", 1)) for layer in arguments.layer]
    if any(len(pair) != 2 for pair in files):
        parser.error("--layer is FILE=TEXT")
    content = list(layers(arguments.busybox.read_bytes(), files))
    arguments.output.write_bytes(archive(content, arguments.tag, arguments.command or ["/bin/sh"]))


if __name__ == "__main__":
    main()

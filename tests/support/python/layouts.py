"""OCI layouts changed by hand: an image with one more layer or another configuration."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile
from pathlib import Path


def tar(files: dict) -> bytes:
    """Path -> bytes, or (bytes, mode), or (bytes, mode, uid); a str is the target of a symbolic link, None a folder (or
    (None, mode, uid)). Owned by root unless said otherwise."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, what in files.items():
            data, mode, uid = (what if isinstance(what, tuple) else (what,)) + (None,) * (3 - (len(what) if isinstance(what, tuple) else 1))
            member = tarfile.TarInfo(path)
            member.uid = member.gid = uid or 0
            if data is None:
                member.type, member.mode = tarfile.DIRTYPE, mode or 0o755
            elif isinstance(data, str):
                member.type, member.linkname, member.mode = tarfile.SYMTYPE, data, 0o777
            else:
                member.size, member.mode = len(data), mode or 0o644
            archive.addfile(member, io.BytesIO(data) if isinstance(data, bytes) else None)
    return stream.getvalue()


def with_layer(layout: Path, target: Path, files: dict | None = None, change=lambda config: None, times: int = 1) -> Path:
    """A copy of the only (or last named) image in `layout`, with a layer of `files` on top (`times` times) and a changed configuration."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(layout, target)
    blobs = target / "blobs" / "sha256"

    def read(descriptor: dict) -> dict:
        return json.loads((blobs / descriptor["digest"].split(":")[1]).read_bytes())

    def write(data: bytes) -> dict:
        digest = hashlib.sha256(data).hexdigest()
        (blobs / digest).write_bytes(data)
        return {"digest": f"sha256:{digest}", "size": len(data)}

    index = json.loads((target / "index.json").read_text())
    descriptor = index["manifests"][-1]
    manifest = read(descriptor)
    config = read(manifest["config"])
    for _ in range(0 if files is None else times):
        data = tar(files)
        manifest["layers"].append({"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip"} | write(gzip.compress(data, mtime=0)))
        config["rootfs"]["diff_ids"].append("sha256:" + hashlib.sha256(data).hexdigest())
        config.setdefault("history", []).append({"created_by": "the test"})
    config.get("config", {}).get("Labels", {}).pop("dev.veneer.layers", None)
    change(config)
    manifest["config"] |= write(json.dumps(config).encode())
    index["manifests"] = [descriptor | write(json.dumps(manifest).encode())]
    index["manifests"][0]["annotations"] = {"org.opencontainers.image.ref.name": "changed"}
    (target / "index.json").write_text(json.dumps(index))
    return target


def saved(layout: Path, target: Path) -> Path:
    """What an old `docker save` would write of the only image in `layout`: its layers are not compressed."""
    blobs = layout / "blobs" / "sha256"

    def read(descriptor: dict) -> bytes:
        return (blobs / descriptor["digest"].split(":")[1]).read_bytes()

    manifest = json.loads(read(json.loads((layout / "index.json").read_text())["manifests"][0]))
    members = {f"{number}/layer.tar": gzip.decompress(read(layer)) for number, layer in enumerate(manifest["layers"])}
    listed = [{"Config": "config.json", "RepoTags": ["saved:1"], "Layers": list(members)}]
    members |= {"config.json": read(manifest["config"]), "manifest.json": json.dumps(listed).encode()}
    target.write_bytes(tar(members))
    return target

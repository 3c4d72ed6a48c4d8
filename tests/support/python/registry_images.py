"""Small images, put into an odd registry by hand."""

import gzip
import json

import odd_registry
import tiny_image

INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"


def encode(value) -> bytes:
    return json.dumps(value).encode()


def put_image(registry: odd_registry.OddRegistry, repository: str, tag: str, texts: dict, architecture: str = "amd64", docker: bool = False) -> dict:
    """An image of one layer a file; its descriptor."""
    layers = [tiny_image.tar([(name, text.encode(), 0o644)]) for name, text in texts.items()]
    blobs = [gzip.compress(layer, mtime=0) for layer in layers]
    config = encode({"architecture": architecture, "os": "linux", "config": {"Cmd": ["/bin/true"]},
                     "rootfs": {"type": "layers", "diff_ids": [tiny_image.digest(layer) for layer in layers]}})
    kinds = (("application/vnd.docker.container.image.v1+json", "application/vnd.docker.image.rootfs.diff.tar.gzip", DOCKER_MANIFEST) if docker else
             (tiny_image.CONFIG, tiny_image.LAYER + "+gzip", tiny_image.MANIFEST))
    manifest = encode({"schemaVersion": 2, "mediaType": kinds[2],
                       "config": {"mediaType": kinds[0], "digest": registry.put_blob(repository, config), "size": len(config)},
                       "layers": [{"mediaType": kinds[1], "digest": registry.put_blob(repository, blob), "size": len(blob)} for blob in blobs]})
    return {"mediaType": kinds[2], "digest": registry.put_manifest(repository, tag, manifest, kinds[2]), "size": len(manifest),
            "platform": {"os": "linux", "architecture": architecture}}

"""From a container's API object and its image to what the shim runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from local.kubernetes.node import security
from local.kubernetes.node.client import Object
from local.kubernetes.node.context import Pod
from local.kubernetes.node.downward import ConfigError
from local.kubernetes.node.environment import expand, service_variables
from local.kubernetes.node.images import Image

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PYTHON = {"python", "python3"}


async def specification(pod: Pod, container: Object, image: Image, folder: Path) -> dict[str, Any]:
    """The shim's ``spec.json`` for an attempt in a folder.

    Raises ConfigError; ApiError or what UNREACHABLE lists as the API server does.
    """
    node = pod.node
    identity = security.resolve(pod.object, container, image.config.get("User", ""))
    links = pod.spec.get("enableServiceLinks", True)
    namespace = pod.object["metadata"]["namespace"]
    services = service_variables(node.instance, node.services.objects.values(), namespace, links)
    given = await pod.environment.compute(container, services)
    work = container.get("workingDir") or image.config.get("WorkingDir") or "/"
    environment = _base(pod, image, work) | given
    command = container.get("command") or image.config.get("Entrypoint") or []
    arguments = container.get("args") or ([] if container.get("command") else image.config.get("Cmd") or [])
    argv = [expand(each, given) for each in (container.get("command") or ())] or list(command)
    argv += [expand(each, given) for each in (container.get("args") or ())] or list(arguments)
    if not argv:
        raise ConfigError(f"no command specified: neither container {container['name']} nor its image has one")
    if argv[0] in _PYTHON:
        argv[0] = node.python
    mounts = [*_volume_mounts(pod, container, given), *_machine_mounts(pod, container, folder)]
    spec = {
        "namespaces": node.namespaces,
        "argv": argv,
        "environment": environment,
        "folder": work,
        "uid": identity.uid,
        "gid": identity.gid,
        "groups": list(identity.groups),
        "switch": security.is_root() and node.namespaces,
        "capabilities": list(identity.capabilities),
        "no_new_privileges": identity.no_new_privileges,
        "read_only": identity.read_only_root,
        "image": [{"source": str(image.root / name), "path": f"/{name}"} for name in image.folders],
        "mounts": mounts,
        "expose": node.exposed,
        "hide": str(node.instance.state),
    }
    return spec if node.namespaces else rewritten(spec)


def rewritten(spec: dict[str, Any]) -> dict[str, Any]:
    """The same for a machine without mount namespaces: paths that lead to a mount are replaced by its source.

    In arguments and variables, a path counts at their start or after a space, a quote or one of "=:,;".
    """
    sources: dict[str, str] = {each["path"].rstrip("/"): each["source"] for each in [*spec["image"], *spec["mounts"]]}
    longest_first = "|".join(re.escape(path) for path in sorted(sources, reverse=True))
    pattern = re.compile(rf"(^|[=:,;\s'\"])({longest_first})(?=$|[/:,;\s'\"])")

    def rewrite(text: str) -> str:
        return pattern.sub(lambda match: match[1] + sources[match[2]], text) if sources else text

    environment = {name: rewrite(value) for name, value in spec["environment"].items()}
    return spec | {
        "argv": [rewrite(each) for each in spec["argv"]],
        "environment": environment,
        "folder": rewrite(spec["folder"]),
    }


def _base(pod: Pod, image: Image, work: str) -> dict[str, str]:
    """What an image and a node bring: nothing of the agent's own environment."""
    bundle = str(pod.node.instance.ca_bundle)
    own = {
        "PATH": f"{Path(pod.node.python).parent}:{_PATH}",
        "HOME": "/",
        "LANG": "C.UTF-8",
        "HOSTNAME": pod.spec.get("hostname") or pod.object["metadata"]["name"],
        "SSL_CERT_FILE": bundle,
        "REQUESTS_CA_BUNDLE": bundle,
        "PYTHONPATH": work,
        "PYTHONUNBUFFERED": "1",
    }
    return own | dict(each.partition("=")[::2] for each in image.config.get("Env") or ())


def _machine_mounts(pod: Pod, container: Object, folder: Path) -> list[dict[str, Any]]:
    """The trust store, and the file for a last message."""
    bundle = str(pod.node.instance.ca_bundle)
    last_words = folder.with_name(f"{folder.name}.message")
    last_words.parent.mkdir(parents=True, exist_ok=True)
    last_words.write_text("")
    last_words.chmod(0o666)
    path = container.get("terminationMessagePath", "/dev/termination-log")
    return [
        *([{"source": bundle, "path": bundle, "writable": False}] if Path(bundle).exists() else []),
        {"source": str(last_words), "path": path, "writable": True},
    ]


def _volume_mounts(pod: Pod, container: Object, values: dict[str, str]) -> list[dict[str, Any]]:
    kinds = {each["name"]: each for each in pod.spec.get("volumes") or ()}
    found = []
    for mount in container.get("volumeMounts") or ():
        source = pod.volumes.path(mount["name"])
        inner = mount.get("subPath") or expand(mount.get("subPathExpr", ""), values)
        writable = "emptyDir" in kinds[mount["name"]] and not mount.get("readOnly")
        if inner:
            if ".." in Path(inner).parts:
                raise ConfigError(f"subPath {inner!r} of volume {mount['name']} must not contain '..'")
            source = (source / inner).resolve()
            if not source.is_relative_to(pod.volumes.path(mount["name"]).resolve()):
                raise ConfigError(f"subPath {inner!r} of volume {mount['name']} leads out of the volume")
            if not source.exists():
                if not writable:
                    raise ConfigError(f"subPath {inner!r} does not exist in volume {mount['name']}")
                source.mkdir(parents=True)
                source.chmod(0o777)
        found.append({"source": str(source), "path": mount["mountPath"].rstrip("/"), "writable": writable})
    return found

"""Pulumi's plugins: the official ones where they can be had, else launchers of our stand-ins."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import time
from pathlib import Path

from local.toolchain import cache, downloads, versions
from local.toolchain.process import CommandFailed, run

REPOSITORY = Path(__file__).resolve().parents[2]
_RETRY_SECONDS = 12 * 3600
"""How long it is remembered that the official providers could not be had."""
PROVIDERS = {"azure-native": versions.AZURE_NATIVE, "kubernetes": versions.PULUMI_KUBERNETES}
_STAND_INS = {
    "pulumi-language-python": "local.plugins.language_host",
    "pulumi-resource-pulumi-python": "pulumi.dynamic",
    "pulumi-resource-azure-native": "local.plugins.azure_native",
    "pulumi-resource-kubernetes": "local.plugins.kubernetes",
}


def beside_engine(pulumi: Path) -> list[Path]:
    """The official plugins that came with the engine, or lie on PATH as its language host would."""
    folder = pulumi.resolve().parent
    return sorted(folder.glob("pulumi-*"))


def official_providers(pulumi: Path) -> set[str]:
    """The providers whose official plugin is there, after trying once to install the others.

    A failure is remembered for half a day, so that a machine without access does not wait for it each time.
    """
    present = {name for name, version in PROVIDERS.items() if _installed(name, version)}
    missing = PROVIDERS.keys() - present
    kept = cache.root() / "official-plugins.json"
    if not missing or _recent(kept):
        return present
    try:
        downloads.fetch("https://get.pulumi.com/releases/plugins/", cache.root() / "probe")
    except downloads.DownloadFailed as error:
        if "can't be reached" in str(error):
            cache.write(kept, json.dumps({"at": time.time(), "why": str(error)}))
            return present
    for name in sorted(missing):
        try:
            arguments = ["plugin", "install", "resource", name, PROVIDERS[name]]
            quiet = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
            run([pulumi, *arguments], log=f"plugin-{name}", environment=quiet, seconds=300)
            present.add(name)
        except CommandFailed as error:
            cache.write(kept, json.dumps({"at": time.time(), "why": str(error)}))
    return present


def _installed(name: str, version: str) -> bool:
    home = Path(os.environ.get("PULUMI_HOME") or Path("~").expanduser() / ".pulumi")
    return (home / "plugins" / f"resource-{name}-v{version}").is_dir()


def _recent(kept: Path) -> bool:
    try:
        return time.time() - json.loads(kept.read_text())["at"] < _RETRY_SECONDS
    except (OSError, ValueError, KeyError):
        return False


def write_launchers(folder: Path, tools: dict[str, str], official: set[str]) -> list[str]:
    """Fill ``<state>/bin``: links to the tools in use, and a launcher for each stand-in. Idempotent.

    official: providers that need no stand-in. Returns the stand-ins' names, which are in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pulumi = Path(tools["pulumi"])
    links = {name: Path(tools[name]) for name in ("pulumi", "kubectl")}
    links |= {each.name: each for each in beside_engine(pulumi)}
    wanted = {
        name: module
        for name, module in _STAND_INS.items()
        if name not in links and not _on_path(name, folder) and name.removeprefix("pulumi-resource-") not in official
    }
    for old in folder.iterdir():
        if old.name not in links and old.name not in wanted:
            old.unlink()
    for name, target in links.items():
        _link(folder / name, target)
    for name, module in wanted.items():
        _launch(folder / name, tools["python"], module)
    return sorted(wanted)


def _on_path(name: str, ours: Path) -> bool:
    others = [each for each in os.environ.get("PATH", "").split(os.pathsep) if each and Path(each) != ours]
    found = shutil.which(name, path=os.pathsep.join(others))
    # Another instance's launcher is a stand-in too.
    return found is not None and not (Path(found).parent.parent / "tools.json").exists()


def _link(path: Path, target: Path) -> None:
    if path.is_symlink() and path.readlink() == target:
        return
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    scratch.symlink_to(target)
    scratch.replace(path)


def _launch(path: Path, python: str, module: str) -> None:
    repository = shlex.quote(str(REPOSITORY))
    text = (
        "#!/bin/sh\n# Written by local/toolchain: a stand-in, see docs/deviations.\n"
        f'PYTHONPATH={repository}"${{PYTHONPATH:+:$PYTHONPATH}}" '
        f'exec {shlex.quote(python)} -u -m {module} "$@"\n'
    )
    if path.is_symlink():
        path.unlink()
    cache.write(path, text)
    path.chmod(0o755)

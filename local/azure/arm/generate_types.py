"""Makes ``types.jsonl`` and ``shapes.jsonl`` anew; run it when azure-native's version or the list of types changes.

    python -m venv /tmp/gen && . /tmp/gen/bin/activate
    pip install pulumi-azure-native==3.29.0
    for wheel in $(cat local/azure/arm/generator/wheels.txt); do
        pip install --no-deps --target /tmp/gen/wheels/$wheel $wheel; done
    python -m local.azure.arm.generate_types --wheels /tmp/gen/wheels

``generator/tokens.txt`` lists the types (token, ARM type), ``generator/corrections.json`` what was corrected by hand,
and why. The product itself needs neither the wheels nor the SDK.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
from pathlib import Path

from local.azure.arm.generator.sdk import Sdk
from local.azure.arm.generator.table import Maker
from local.azure.arm.generator.wheels import Put, packages

_HERE = Path(__file__).parent


def main() -> None:
    """Read, join, write; print what could not be derived."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, required=True, help="folder with one unpacked wheel a folder")
    parser.add_argument("--notes", action="store_true", help="print every placement that no wheel confirms")
    options = parser.parse_args()
    found = importlib.util.find_spec("pulumi_azure_native")
    if found is None or found.origin is None:
        parser.error("pulumi-azure-native is not installed; see --help")
    puts: dict[str, list[Put]] = {}
    for package in packages(options.wheels):
        for put in package.puts:
            puts.setdefault(put.type.lower(), []).append(put)
    corrections = json.loads((_HERE / "generator" / "corrections.json").read_text())
    maker = Maker(Sdk(Path(found.origin).parent), puts, corrections)
    lines, failed = [], []
    for entry in (_HERE / "generator" / "tokens.txt").read_text().splitlines():
        if not entry or entry.startswith("#"):
            continue
        token, type_name = entry.split()
        try:
            lines.append(maker.line(token, type_name))
        except (LookupError, FileNotFoundError) as error:
            failed.append(str(error))
    lines += corrections.get("lines", [])
    maker.shapes.update(corrections.get("more_shapes", {}))
    _write(_HERE / "types.jsonl", sorted(lines, key=lambda each: each["token"]))
    _write(_HERE / "shapes.jsonl", [maker.shapes[name] for name in sorted(maker.shapes)])
    print(f"{len(lines)} types, {len(maker.shapes)} shapes and enumerations, {len(maker.notes)} unconfirmed placements")
    for note in maker.notes if options.notes else ():
        print("note:", note)
    for failure in failed:
        print("failed:", failure)


def _write(path: Path, lines: list[dict[str, object]]) -> None:
    path.write_text("".join(json.dumps(each, separators=(",", ":"), ensure_ascii=False) + "\n" for each in lines))


if __name__ == "__main__":
    main()

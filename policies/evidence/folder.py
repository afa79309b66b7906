"""Folder: writes evidence into the folder that is handed over, with the digests of its files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from policies.evidence.junit import junit
from policies.evidence.oscal import oscal
from policies.evidence.report import html
from policies.evidence.sarif import sarif
from policies.evidence.subject import Evidence


def write(folder: Path, evidence: Evidence) -> list[Path]:
    """The files that were written. What lay there under the same names is replaced."""
    texts = {
        "report.html": html(evidence),
        "results.sarif": json.dumps(sarif(evidence), indent=1) + "\n",
        "junit.xml": junit(evidence),
        "oscal-assessment-results.json": json.dumps(oscal(evidence), indent=1) + "\n",
    }
    digests = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    texts["SHA256SUMS"] = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]

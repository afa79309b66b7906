"""Serves the pack to the engine: PolicyPack blocks in its constructor, so nothing else is here."""

import datetime
import gc
import os
import sys
import types
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The engine runs this file with the pack's own folder in front, where nothing is called policies. The package is this
# folder, whatever its name and wherever it was copied to; what lies beside it is not looked at.
sys.path[:] = [each for each in sys.path if Path(each or ".").resolve() != HERE]
itself = types.ModuleType("policies")
itself.__path__ = [str(HERE)]
sys.modules["policies"] = itself

from pulumi_policy import PolicyPack  # noqa: E402

from policies import deployed, once, pack, waivers  # noqa: E402

rules = pack.load()
try:
    granted = waivers.read(
        Path(os.environ.get("TRIBUTARY_WAIVERS") or HERE / "waivers.yaml"), [each.id for each in rules]
    )
    before = deployed.read(Path(os.environ[deployed.VARIABLE])) if os.environ.get(deployed.VARIABLE) else None
except (waivers.WaiverError, deployed.DeployedError) as error:
    sys.exit(str(error))
today = datetime.datetime.now(datetime.UTC).date()
once.convert_once()
made = pack.policies_of(rules, granted, today, before)
gc.freeze()  # what is loaded stays, and need not be looked at again with every few resources
PolicyPack(pack.NAME, made)

"""`make verify-azure` tried on the embedded Azure as if it was Azure: recorded, replayed, compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from local.azure.daemons import authority
from tests.components.deployed.alone import Alone
from tests.components.deployed.test_alone import CHEAP
from tests.verification.compare import answers
from tests.verification.recorder import Recorder
from tests.verification.replay import replayed

pytestmark = [pytest.mark.xdist_group("components/deployed"), pytest.mark.full]


def test_what_is_recorded_is_answered_alike_when_it_is_asked_again(alone: Callable[[str], Alone]) -> None:
    program = alone(CHEAP)
    cloud = program.cloud
    certificate = authority(cloud.instance).issue_files(program.folder, "recorder", ["127.0.0.1"])
    recorder = Recorder(f"https://{cloud.instance.arm}", cloud.instance.ca_bundle, *certificate)
    file = program.folder / "Pulumi.test.yaml"
    with recorder.listening() as host:
        file.write_text(file.read_text().replace(cloud.instance.arm, host))
        program.environment["ARM_METADATA_HOSTNAME"] = host
        program.up()
        made = program.known()
        program.destroy()
    assert made == {each.path.lower() for each in recorder.exchanges if each.makes}
    pairs = list(replayed(recorder.exchanges, cloud.arm, {}))
    assert answers(pairs) == {}
    assert program.made() == set(), "the recording ends with its destruction, and so does the replay"
    spoilt = [replace(each, answered={}) for each in pairs if each.recorded.makes]
    assert any("is there, not here" in each for each in answers(spoilt))

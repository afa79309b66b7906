"""Waivers: read with file and line, in force until their last day, and not kept when they are of no use."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

import pytest
from pulumi_policy import PolicyResource, PolicyResourceOptions, StackValidationArgs
from pulumi_policy.policy import (
    PolicyCustomTimeouts,
    ResourceValidationArgs,
    ResourceValidationPolicy,
    StackValidationPolicy,
)

from policies import pack
from policies.waivers import WaiverError, read
from tests.policies.proxies import STACK_URN, proxied, urn

RULES = pack.load()
IDS = [each.id for each in RULES]
TODAY = datetime.date(2027, 1, 1)
ACCOUNT = "azure-native:storage:StorageAccount"
GOOD = f"""\
# for the cut-over
- rule: TRB-ST-002
  resource: {urn(ACCOUNT)}
  owner: platform team
  reason: an old bank's client
  expires: 2027-03-31
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "waivers.yaml"
    path.write_text(text)
    return path


def test_a_waiver_is_read_with_its_place(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    (waiver,) = read(path, IDS)
    assert (waiver.rule, waiver.owner, waiver.expires) == ("TRB-ST-002", "platform team", datetime.date(2027, 3, 31))
    assert (waiver.where, waiver.stack) == (f"{path}:2", "prod::tributary")
    assert read(written(tmp_path, "# none\n"), IDS) == []


def test_the_committed_waivers_can_be_read() -> None:
    read(Path(pack.__file__).parent / "waivers.yaml", IDS)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("rule: TRB-ST-002\n", 1, "a list of waivers is expected"),
        ("- rule: [\n", 2, "Write a list of waivers"),
        ("- 7\n", 1, "a waiver has the fields"),
        (GOOD.replace("TRB-ST-002", "TRB-ST-999"), 2, "there is no rule 'TRB-ST-999'"),
        (GOOD.replace("owner:", "who:"), 4, "'who' is no field"),
        (GOOD.replace("owner: platform team", "owner:"), 4, "owner must be text that is not empty"),
        (GOOD.replace("owner: platform team", "owner: [a, b]"), 4, "owner must be text"),
        (GOOD.replace("2027-03-31", "next spring"), 6, "expires is 'next spring'"),
        (GOOD.replace("2027-03-31", "2027-02-30"), 6, "expires is '2027-02-30'"),
        (GOOD.replace("urn:pulumi:", ""), 3, "resource must be the URN"),
        (GOOD.replace("  reason: an old bank's client\n", ""), 2, "reason is missing"),
        (GOOD + "  owner: again\n", 7, "owner is said twice"),
        (GOOD + GOOD.split("\n", 1)[1], 7, "waives the same as"),
        (GOOD.replace("- rule: TRB", "- {}: TRB"), 2, "is no field"),
    ],
)
def test_a_malformed_file_is_one_error_with_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(WaiverError, match=r"^[^\n]*$") as error:
        read(path, IDS)
    assert str(error.value).startswith(f"{path}:{line}: ")
    assert says in str(error.value)


def test_a_file_that_is_gone_or_no_text_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match=r"nowhere\.yaml:1: can't be read"):
        read(tmp_path / "nowhere.yaml", IDS)
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WaiverError, match=r"binary\.yaml:1: can't be read"):
        read(tmp_path / "binary.yaml", IDS)


def run(folder: Path, properties: dict[str, Any], text: str) -> list[str]:
    """What the pack reports of one storage account, through CrossGuard's own classes."""
    made = pack.policies_of(RULES, read(written(folder, text), IDS), TODAY)
    options = PolicyResourceOptions(False, [], None, [], PolicyCustomTimeouts(0, 0, 0), [])
    reported: list[str] = []
    for policy in made:
        if policy.name == "TRB-ST-002" and isinstance(policy, ResourceValidationPolicy):
            asked = ResourceValidationArgs(ACCOUNT, proxied(properties), urn(ACCOUNT), "it", options, None)
            policy.validate(asked, lambda message, _urn=None: reported.append(f"TRB-ST-002 {message}"))
    root = PolicyResource("pulumi:pulumi:Stack", proxied({}), STACK_URN, "tributary-prod", options, None, None, [], {})
    (last,) = [each for each in made if each.name == "TRB-WAIVER-001"]
    assert isinstance(last, StackValidationPolicy)
    last.validate(StackValidationArgs([root]), lambda message, _urn=None: reported.append(f"TRB-WAIVER-001 {message}"))
    return reported


def test_a_waiver_in_force_silences_its_rule_for_its_resource(tmp_path: Path) -> None:
    assert run(tmp_path, {"minimumTlsVersion": "TLS1_0"}, GOOD) == []
    assert len(run(tmp_path, {"minimumTlsVersion": "TLS1_0"}, "")) == 1


def test_an_unused_waiver_fails_where_its_stack_is(tmp_path: Path) -> None:
    (said,) = run(tmp_path, {"minimumTlsVersion": "TLS1_2"}, GOOD)
    assert said.startswith("TRB-WAIVER-001")
    assert "nothing to waive" in said
    assert run(tmp_path, {"minimumTlsVersion": "TLS1_2"}, GOOD.replace("urn:pulumi:prod", "urn:pulumi:dev")) == []


def test_an_expired_waiver_fails_twice_with_its_owner(tmp_path: Path) -> None:
    said = run(tmp_path, {"minimumTlsVersion": "TLS1_0"}, GOOD.replace("2027-03-31", "2026-12-31"))
    assert [each.split()[0] for each in said] == ["TRB-ST-002", "TRB-WAIVER-001"]
    assert "platform team ended on 2026-12-31" in said[0]
    assert "expired on 2026-12-31" in said[1]

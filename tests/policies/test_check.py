"""A policy config is checked before the engine takes it: one clear error with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from policies import pack
from policies.check import ConfigError, check, main

RULES = {each.id: each for each in pack.load()}


def test_the_committed_configs_and_waivers_are_right(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().err == ""


def test_levels_and_settings_that_there_are_pass(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    path.write_text('{"all": "mandatory", "TRB-MON-005": {"enforcementLevel": "advisory", "days": 30}}')
    check(path, RULES)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "an object is expected"),
        ("[]", 1, "an object is expected"),
        ('{\n"all": "mandatory",', 2, ""),
        ('{\n"TRB-SQL-999": "advisory"}', 2, "there is no rule 'TRB-SQL-999'"),
        ('{"all": "mandatory",\n"TRB-SQL-001": "mild"}', 2, "'mild' is no level"),
        ('{"TRB-MON-005": {\n"enforcementLevel": "mild"}}', 2, "'mild' is no level"),
        ('{"TRB-MON-005": {\n"hours": 30}}', 2, "'hours' is no setting"),
        ('{"TRB-MON-005": {\n"days": "30"}}', 2, "days has the wrong type"),
        ('{"TRB-MON-005": {\n"days": true}}', 2, "days has the wrong type"),
        ('{"TRB-ALL-001": {\n"regions": "eastus"}}', 2, "regions has the wrong type"),
        ('{"TRB-MON-005": [\n]}', 1, "an object is expected"),
    ],
)
def test_a_malformed_config_is_one_error_with_file_and_line(tmp_path: Path, text: str, line: int, says: str) -> None:
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(ConfigError) as error:
        check(path, RULES)
    assert str(error.value).startswith(f"{path}:")
    if says:
        assert str(error.value).startswith(f"{path}:{line}: ")
        assert says in str(error.value)
    assert main([str(path)]) == 1

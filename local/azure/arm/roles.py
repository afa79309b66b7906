"""Azure's built-in role definitions, by GUID (``roles.json``; source: Azure built-in roles, Microsoft Learn)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"


@cache
def built_in() -> Mapping[str, Mapping[str, Any]]:
    """Properties of each role definition as ARM answers them."""
    listed = json.loads(Path(__file__).with_name("roles.json").read_text())
    return {
        guid: {
            "roleName": role["name"],
            "type": "BuiltInRole",
            "description": role["description"],
            "assignableScopes": ["/"],
            "permissions": [
                {
                    "actions": role.get("actions", []),
                    "notActions": role.get("notActions", []),
                    "dataActions": role.get("dataActions", []),
                    "notDataActions": role.get("notDataActions", []),
                }
            ],
        }
        for guid, role in listed.items()
    }

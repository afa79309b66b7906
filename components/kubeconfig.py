"""Kubeconfig: made so that nobody is asked to sign in."""

from __future__ import annotations

import yaml


def unattended(kubeconfig: bytes, login: str) -> str:
    """A kubeconfig whose kubelogin signs in without a person; one that uses no kubelogin stays as it is."""
    content = yaml.safe_load(kubeconfig)
    for user in content.get("users") or []:
        command = user["user"].get("exec") or {}
        arguments = command.get("args") or []
        if "--login" in arguments:
            arguments[arguments.index("--login") + 1] = login
        elif command.get("command") == "kubelogin":
            arguments += ["--login", login]
            command["args"] = arguments
    return yaml.safe_dump(content)

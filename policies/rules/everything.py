"""Every Azure resource: where it lies, and whose it is."""

from policies.properties import Truth, every
from policies.rule import rule
from policies.subject import Subject

_ANY = "azure-native:*"


def _here(resource: Subject) -> Truth:
    location = resource["location"]
    allowed = "|".join(resource.settings["regions"])
    # Directories lie in "Europe", what is everywhere in "global"; "West Europe" is the same region as "westeurope".
    return location.absent | location.without_spaces().matches(f"(?i)global|europe|{allowed}")


regions = rule(
    "TRB-ALL-001",
    "Everything lies in the EU or the United Kingdom",
    on=_ANY,
    severity="high",
    topic="residency",
    why="Personal and payment data stay where GDPR, or a law found adequate, protects them.",
    fix="Set location to one of the allowed regions.",
    passes={"location": "westeurope"},
    breaks={"location": "eastus"},
    absent_passes="location",
    settings={
        "regions": [
            *("westeurope", "northeurope", "germanywestcentral", "francecentral", "swedencentral", "italynorth"),
            *("polandcentral", "spaincentral", "austriaeast", "belgiumcentral", "denmarkeast"),
            *("uksouth", "ukwest"),
        ]
    },
    azure_policy="e56962a6",
    demand=_here,
)

tags = rule(
    "TRB-ALL-002",
    "Everything that lies in a region says whose it is",
    on=_ANY,
    severity="low",
    topic="hygiene",
    why="What nobody owns nobody updates, pays for or removes.",
    fix="Set tags project, stack and managed-by; the program's stack-wide transform does so where tags are given.",
    passes={"location": "westeurope", "tags": {"project": "tributary", "stack": "prod", "managed-by": "pulumi"}},
    breaks={"tags.project": "", "tags.stack": "", "tags.managed-by": ""},
    settings={"tags": ["project", "stack", "managed-by"]},
    remedy=lambda resource: {
        "tags": {"project": resource.project, "stack": resource.stack, "managed-by": "pulumi"},
    },
    azure_policy="871b6d14",
    # What has no region is part of something else, or takes no tags.
    demand=lambda resource: (
        resource["location"].absent | every(resource["tags"].key(each).present for each in resource.settings["tags"])
    ),
)

"""Every Azure resource: where it lies, and whose it is."""

from policies.properties import Truth, every
from policies.regions import ALLOWED_REGIONS
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
    settings={"regions": [*ALLOWED_REGIONS]},
    azure_policy="e56962a6",
    demand=_here,
)


def _missing(resource: Subject) -> dict[str, str]:
    ours = {"project": resource.project, "stack": resource.stack, "managed-by": "pulumi"}
    return {name: value for name, value in ours.items() if resource["tags"].key(name).present.value is False}


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
    remedy=lambda resource: {"tags": _missing(resource)},
    azure_policy="871b6d14",
    # What has no region is part of something else, or takes no tags.
    demand=lambda resource: (
        resource["location"].absent | every(resource["tags"].key(each).present for each in resource.settings["tags"])
    ),
)

units = rule(
    "TRB-ALL-003",
    "What is bought by the unit ends at a number of units",
    on=(
        "azure-native:web:AppServicePlan",
        "azure-native:apimanagement:ApiManagementService",
        "azure-native:servicebus:Namespace",
    ),
    severity="low",
    topic="cost",
    why="A slip of the finger must not become a bill: one unit of API Management Premium costs thousands a month.",
    fix="Set sku.capacity within the limit, or raise the limit in the policy config.",
    passes={"sku": {"capacity": 3}},
    breaks={"sku.capacity": 100},
    absent_passes="sku.capacity",
    settings={"units": 16},
    demand=lambda resource: (
        resource["sku.capacity"].absent | resource["sku.capacity"].at_most(resource.settings["units"])
    ),
)

"""External ID and B2C: where the directory of our users lies. Rules of ours."""

from policies.rule import rule

in_europe = rule(
    "TRB-ID-001",
    "The users' directory lies in Europe",
    on=("azure-native:azureactivedirectory:CIAMTenant", "azure-native:azureactivedirectory:B2CTenant"),
    severity="high",
    topic="residency",
    why="It holds who our users are; it can't be moved after it was made.",
    fix='Set location="Europe".',
    passes={"location": "Europe"},
    breaks={"location": "United States"},
    demand=lambda directory: directory["location"].one_of("Europe", "europe"),
)

"""Open banking: what PSD2 and its technical standards (Delegated Regulation (EU) 2018/389) ask for. Rules of ours."""

from policies.properties import Property, Truth
from policies.rule import rule

_SYNC, _CERTIFICATE = r".*\bsync\b.*", r"(?i).*(qwac|qseal).*"
_FOUR_A_DAY = (
    r"\s*\d{1,2}\s+(\d{1,2}(,\d{1,2}){0,3}|\*/(6|8|12)|0)\s+\S+\s+\S+\s+\S+\s*|@(daily|midnight|weekly|monthly)"
)


def _otherwise(name: Property, pattern: str, holds: Truth) -> Truth:
    """What must hold for resources of a name; others are none of this rule's business."""
    return ~name.or_default("").matches(pattern) | holds


four_a_day = rule(
    "TRB-PSD2-001",
    "Accounts are fetched without their user at most four times a day",
    on="kubernetes:batch/v1:CronJob",
    severity="high",
    topic="open banking",
    why="Article 36(5)(b) of the technical standards; banks refuse the fifth request, and may block us.",
    fix='Set a schedule with at most four hours, e.g. "0 5,11,17,23 * * *".',
    passes={"metadata": {"name": "account-sync"}, "spec": {"schedule": "0 5,11,17,23 * * *"}},
    breaks={"spec.schedule": "*/30 * * * *"},
    demand=lambda job: _otherwise(job["metadata.name"], _SYNC, job["spec.schedule"].matches(_FOUR_A_DAY)),
)

certificates_in_hardware = rule(
    "TRB-PSD2-002",
    "The keys of the QWAC and the QSealC live in hardware, and sign only",
    on="azure-native:keyvault:Key",
    severity="high",
    topic="hsm",
    why="Whoever has them is us, to every bank in Europe; eIDAS asks for a protected device for qualified seals.",
    fix='Set properties.kty="RSA-HSM" or "EC-HSM", and key_ops=["sign", "verify"].',
    passes={"keyName": "qwac", "properties": {"kty": "EC-HSM", "keyOps": ["sign", "verify"]}},
    breaks={"properties.kty": "EC", "properties.keyOps": ["sign", "decrypt"]},
    demand=lambda key: _otherwise(
        key["keyName"],
        _CERTIFICATE,
        key["properties.kty"].one_of("RSA-HSM", "EC-HSM")
        & key["properties.keyOps"].present
        & key["properties.keyOps"].every(lambda each: each.one_of("sign", "verify")),
    ),
)

keys_apart = rule(
    "TRB-PSD2-003",
    "The QWAC and the QSealC have a key each",
    on="azure-native:keyvault:Key",
    severity="high",
    topic="open banking",
    why="One opens connections all day, the other signs what we answer for; whoever gets at one must not have both.",
    fix="Make two keys, one for each certificate.",
    passes={"keyName": "qwac"},
    breaks={"keyName": "qwac-and-qseal"},
    absent_passes="keyName",
    demand=lambda key: key["keyName"].or_default("none").lacks(r"qwac.*qseal|qseal.*qwac"),
)

"""Kubernetes, whole stack: that what refers to pods finds them, and that no pod is left out."""

from policies.pods import SERVING, labels_of, selects
from policies.properties import YES, Property, Truth, every, some
from policies.rule import Example, stack_rule
from policies.subject import Stack, Subject

_DEPLOYMENT, _STATEFUL_SET, _ = SERVING
_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
_BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
_SCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
_LABELS = {"app": "consent"}


def _example(replicas: int = 3) -> Example:
    return Example(
        _DEPLOYMENT,
        "consent",
        {
            "kind": "Deployment",
            "metadata": {"namespace": "tributary", "name": "consent"},
            "spec": {"replicas": replicas, "template": {"metadata": {"labels": _LABELS}}},
        },
    )


def _selecting(type_: str, labels: dict[str, str], **more: object) -> Example:
    key = "podSelector" if type_ == _POLICY else "selector"
    spec = {key: {"matchLabels": labels}, **more}
    return Example(type_, "consent", {"metadata": {"namespace": "tributary", "name": "consent"}, "spec": spec})


def _scaling(target: str, least: int = 2) -> Example:
    reference = {"kind": "Deployment", "name": target}
    return Example(
        _SCALER,
        "consent",
        {
            "metadata": {"namespace": "tributary", "name": "consent"},
            "spec": {"scaleTargetRef": reference, "minReplicas": least, "maxReplicas": 9},
        },
    )


def _selected(chooser: Subject, workload: Subject, path: str) -> Truth:
    return _together(chooser, workload) & selects(chooser[path], labels_of(workload))


def _together(one: Subject, other: Subject) -> Truth:
    """Whether they are in one namespace: also while its name is not known, when both take it from the same resource."""
    if _namespaces(one) & _namespaces(other):
        return YES
    return _equal(one["metadata.namespace"].or_default("default"), other["metadata.namespace"].or_default("default"))


def _namespaces(resource: Subject) -> set[str]:
    return {each for each in resource.uses.get("metadata", ()) if each.split("::")[-2].endswith("core/v1:Namespace")}


def _equal(one: Property, other: Property) -> Truth:
    return ~one.unlike(other)


covered = stack_rule(
    "TRB-STACK-007",
    "A network policy covers every pod",
    severity="high",
    topic="hardening",
    why="A pod that no policy selects talks to everyone, and everyone to it.",
    fix="Add a NetworkPolicy for its namespace whose pod_selector is empty or matches its labels.",
    passes=[
        _example(),
        Example(_POLICY, "all", {"metadata": {"namespace": "tributary", "name": "all"}, "spec": {"podSelector": {}}}),
    ],
    breaks={"no policy": [_example()], "another pod's policy": [_example(), _selecting(_POLICY, {"app": "account"})]},
    checkov="CKV2_K8S_6",
    demand=lambda stack: stack.each(
        SERVING,
        lambda workload: some(_selected(each, workload, "spec.podSelector") for each in stack.of(_POLICY)).because(
            "no network policy selects its pods"
        ),
    ),
)

disruption_budgets = stack_rule(
    "TRB-STACK-008",
    "Every service has a disruption budget that lets at least one pod go",
    severity="medium",
    topic="availability",
    why="Without one, a node upgrade may stop all replicas; with too strict a one it never ends.",
    fix="Add a PodDisruptionBudget that selects its pods, with min_available below its replicas, or max_unavailable.",
    passes=[_example(), _selecting(_BUDGET, _LABELS, minAvailable=2)],
    breaks={
        "no budget": [_example()],
        "one that lets none go": [_example(), _selecting(_BUDGET, _LABELS, minAvailable=3)],
    },
    demand=lambda stack: stack.each((_DEPLOYMENT, _STATEFUL_SET), lambda workload: _budgeted(stack, workload)),
)


def _budgeted(stack: Stack, workload: Subject) -> Truth:
    # A budget that selects others is not asked what it lets go: every workload meets every budget here.
    selected = [(each, _selected(each, workload, "spec.selector")) for each in stack.of(_BUDGET)]
    found = some(chosen for _, chosen in selected)
    lets_go = every(~chosen | _lets_go(stack, each, workload) for each, chosen in selected if chosen.value is not False)
    return found.because("no disruption budget selects its pods") & lets_go.because("its budget lets no pod go")


def _lets_go(stack: Stack, budget: Subject, workload: Subject) -> Truth:
    least = budget["spec.minAvailable"]
    scalers = (each["spec.minReplicas"] for each in stack.of(_SCALER) if bool(_scales(each, workload)))
    replicas = next(scalers, workload["spec.replicas"].or_default(1))
    return least.absent | least.matches(r"\d{1,2}%") | least.below(replicas)


def _scales(scaler: Subject, workload: Subject) -> Truth:
    target = scaler["spec.scaleTargetRef"]
    return (
        _together(scaler, workload)
        & _equal(target["name"], workload["metadata.name"])
        & (target["kind"] == workload.type.rsplit(":", 1)[1])
    )


matching = stack_rule(
    "TRB-STACK-009",
    "Every autoscaler and disruption budget finds its pods",
    severity="medium",
    topic="hygiene",
    why="One that matches nothing does nothing, silently.",
    fix="Name an existing workload of the same namespace, or labels that its pods have.",
    passes=[_example(), _selecting(_BUDGET, _LABELS), _scaling("consent")],
    breaks={
        "a scaler of nothing": [_example(), _scaling("consents")],
        "a budget of nothing": [_example(), _selecting(_BUDGET, {"app": "consents"})],
    },
    demand=lambda stack: stack.each((_SCALER, _BUDGET), lambda each: _finds(stack, each)),
)


def _finds(stack: Stack, chooser: Subject) -> Truth:
    workloads = stack.of(*SERVING)
    if chooser.is_a(_SCALER):
        return some(_scales(chooser, each) for each in workloads).because("its scaleTargetRef is not in the stack")
    return some(_selected(chooser, each, "spec.selector") for each in workloads).because("it selects no pods")

"""Kubernetes, operations: what keeps a service answering."""

from policies.pods import FIRST, POD, SERVING, WORKLOADS, containers, pod_of, workload_with
from policies.properties import Property, Truth
from policies.rule import rule

requests_and_limits = rule(
    "TRB-K8S-008",
    "Containers say what they need and how much memory they may take",
    on=WORKLOADS,
    severity="medium",
    topic="availability",
    why="One that leaks must not take its neighbours along. A CPU limit is not asked for: it slows down for nothing.",
    fix="Set resources.requests of cpu and memory, and resources.limits of memory.",
    passes=workload_with({"resources": {"requests": {"cpu": "50m", "memory": "128Mi"}, "limits": {"memory": "512Mi"}}}),
    breaks={
        f"{FIRST}.resources.requests.cpu": "",
        f"{FIRST}.resources.requests.memory": "",
        f"{FIRST}.resources.limits.memory": "",
    },
    checkov="CKV_K8S_10 CKV_K8S_12 CKV_K8S_13",
    trivy="KSV-0015 KSV-0016 KSV-0018",
    azure_policy="03a4ecdb",
    demand=lambda workload: containers(
        workload,
        lambda container: (
            container["resources.requests.cpu"].present
            & container["resources.requests.memory"].present
            & container["resources.limits.memory"].present
        ),
    ),
)

probes = rule(
    "TRB-K8S-009",
    "Services have a liveness and a readiness probe, and not the same one twice",
    on=SERVING,
    severity="medium",
    topic="availability",
    why="A service whose database is away must get no requests; restarting it would not help.",
    fix="Set liveness_probe and readiness_probe with paths of their own.",
    passes=workload_with(
        {
            "livenessProbe": {"httpGet": {"path": "/healthz/live", "port": 8080}},
            "readinessProbe": {"httpGet": {"path": "/healthz/ready", "port": 8080}},
        }
    ),
    breaks={
        f"{FIRST}.readinessProbe.httpGet.path": "/healthz/live",
        f"{FIRST}.livenessProbe": {},
        f"{FIRST}.readinessProbe": {},
    },
    absent_passes=f"{FIRST}.readinessProbe.httpGet.path",
    checkov="CKV_K8S_8 CKV_K8S_9",
    demand=lambda workload: containers(workload, _probed, starting=False),
)


def _probed(container: Property) -> Truth:
    live, ready = container["livenessProbe"], container["readinessProbe"]
    paths = live["httpGet.path"].absent | ready["httpGet.path"].absent
    return live.present & ready.present & (paths | live["httpGet.path"].unlike(ready["httpGet.path"]))


spread = rule(
    "TRB-K8S-017",
    "Replicas of a service are spread over zones",
    on=SERVING[:2],
    severity="low",
    topic="availability",
    why="Three replicas in one zone are one.",
    fix="Set topology_spread_constraints with topology_key topology.kubernetes.io/zone.",
    passes=workload_with(topologySpreadConstraints=[{"topologyKey": "topology.kubernetes.io/zone", "maxSkew": 1}]),
    breaks={f"{POD}.topologySpreadConstraints.0.topologyKey": "kubernetes.io/hostname"},
    azure_policy="34c88cd4",
    demand=lambda workload: pod_of(workload)["topologySpreadConstraints"].some(
        lambda constraint: constraint["topologyKey"] == "topology.kubernetes.io/zone"
    ),
)

replicas = rule(
    "TRB-K8S-018",
    "A service has more than one replica",
    on=SERVING[:2],
    severity="medium",
    topic="availability",
    why="Every node upgrade would be an outage.",
    fix="Set replicas to 2 or more, or leave it out where a HorizontalPodAutoscaler says how many.",
    passes={"spec": {"replicas": 3}},
    breaks={"spec.replicas": 1},
    settings={"replicas": 2},
    demand=lambda workload: workload["spec.replicas"].at_least(workload.settings["replicas"]),
)

autoscaler_range = rule(
    "TRB-K8S-019",
    "An autoscaler keeps two replicas or more, and ends at a number",
    on="kubernetes:autoscaling/v2:HorizontalPodAutoscaler",
    severity="medium",
    topic="availability",
    why="Scaling down to one makes every node upgrade an outage.",
    fix="Set min_replicas to 2 or more, and max_replicas above it.",
    passes={"spec": {"minReplicas": 2, "maxReplicas": 9}},
    breaks={"spec.minReplicas": 1, "spec.maxReplicas": 1000},
    settings={"replicas": 2, "most": 50},
    demand=lambda scaler: (
        scaler["spec.minReplicas"].at_least(scaler.settings["replicas"])
        & scaler["spec.maxReplicas"].at_most(scaler.settings["most"])
    ),
)

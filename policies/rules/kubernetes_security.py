"""Kubernetes, security: what a container may do and where it comes from."""

from policies.pods import FIRST, NAMESPACED, POD, WORKLOADS, containers, either, pod_of, workload_with
from policies.properties import every
from policies.rule import rule

not_root = rule(
    "TRB-K8S-001",
    "Containers run as another user than root",
    on=WORKLOADS,
    severity="high",
    topic="hardening",
    why="Root in a container is one kernel bug away from root on the node.",
    fix="Set security_context.run_as_non_root=True for the pod or its containers.",
    passes=workload_with({"securityContext": {"runAsNonRoot": True}}),
    breaks={f"{FIRST}.securityContext.runAsNonRoot": False},
    checkov="CKV_K8S_23",
    trivy="KSV-0012",
    azure_policy="f06ddb64",
    demand=lambda workload: containers(
        workload,
        lambda container: either(container, pod_of(workload), "runAsNonRoot", lambda value: value.is_true),
    ),
)

high_user = rule(
    "TRB-K8S-002",
    "Containers that name their user name one of 10000 or more",
    on=WORKLOADS,
    severity="low",
    topic="hardening",
    why="A low id may be somebody on the node. Left out, the image's user counts; TRB-K8S-001 keeps that from root.",
    fix="Set security_context.run_as_user to 10000 or more, or leave it to the image.",
    passes=workload_with({"securityContext": {"runAsUser": 10001}}),
    breaks={f"{FIRST}.securityContext.runAsUser": 0},
    absent_passes=f"{FIRST}.securityContext.runAsUser",
    settings={"user": 10000},
    checkov="CKV_K8S_40",
    trivy="KSV-0020",
    demand=lambda workload: containers(
        workload,
        lambda container: either(
            container,
            pod_of(workload),
            "runAsUser",
            lambda value: value.absent | value.at_least(workload.settings["user"]),
        ),
    ),
)

read_only_root = rule(
    "TRB-K8S-003",
    "Containers can't write to their own file system",
    on=WORKLOADS,
    severity="medium",
    topic="hardening",
    why="What can't be written can't be replaced by an intruder's program.",
    fix="Set security_context.read_only_root_filesystem=True; mount an emptyDir for what must be written.",
    passes=workload_with({"securityContext": {"readOnlyRootFilesystem": True}}),
    breaks={f"{FIRST}.securityContext.readOnlyRootFilesystem": False},
    checkov="CKV_K8S_22",
    trivy="KSV-0014",
    azure_policy="df49d893",
    demand=lambda workload: containers(
        workload, lambda container: container["securityContext.readOnlyRootFilesystem"].is_true
    ),
)

no_capabilities = rule(
    "TRB-K8S-004",
    "Containers drop all capabilities",
    on=WORKLOADS,
    severity="medium",
    topic="hardening",
    why="A web service needs none of root's powers.",
    fix='Set security_context.capabilities.drop=["ALL"], and add none but NET_BIND_SERVICE.',
    passes=workload_with({"securityContext": {"capabilities": {"drop": ["ALL"]}}}),
    breaks={f"{FIRST}.securityContext.capabilities.drop": ["NET_RAW"]},
    checkov="CKV_K8S_37",
    trivy="KSV-0003",
    azure_policy="c26596ff",
    demand=lambda workload: containers(
        workload,
        lambda container: (
            container["securityContext.capabilities.drop"].includes("ALL")
            & container["securityContext.capabilities.add"].every(lambda each: each == "NET_BIND_SERVICE")
        ),
    ),
)

no_escalation = rule(
    "TRB-K8S-005",
    "Containers can't gain privileges and have none",
    on=WORKLOADS,
    severity="high",
    topic="hardening",
    why="A privileged container is the node.",
    fix="Set security_context.allow_privilege_escalation=False, and not privileged.",
    passes=workload_with({"securityContext": {"allowPrivilegeEscalation": False, "privileged": False}}),
    breaks={
        f"{FIRST}.securityContext.allowPrivilegeEscalation": True,
        f"{FIRST}.securityContext.privileged": True,
    },
    absent_passes=f"{FIRST}.securityContext.privileged",
    checkov="CKV_K8S_20 CKV_K8S_16",
    trivy="KSV-0001 KSV-0017",
    azure_policy="1c6e92c9 95edb821",
    demand=lambda workload: containers(
        workload,
        lambda container: (
            container["securityContext.allowPrivilegeEscalation"].is_false
            & container["securityContext.privileged"].or_default(False).is_false
        ),
    ),
)

seccomp = rule(
    "TRB-K8S-006",
    "Containers run under a seccomp profile",
    on=WORKLOADS,
    severity="medium",
    topic="hardening",
    why="It closes the system calls that exploits need and services don't.",
    fix='Set security_context.seccomp_profile.type="RuntimeDefault" for the pod.',
    passes=workload_with(securityContext={"seccompProfile": {"type": "RuntimeDefault"}}),
    breaks={f"{POD}.securityContext.seccompProfile.type": "Unconfined"},
    checkov="CKV_K8S_31",
    trivy="KSV-0030 KSV-0104",
    azure_policy="975ce327",
    demand=lambda workload: containers(
        workload,
        lambda container: either(
            container,
            pod_of(workload),
            "seccompProfile",
            lambda profile: profile["type"].one_of("RuntimeDefault", "Localhost"),
        ),
    ),
)

no_host_namespaces = rule(
    "TRB-K8S-007",
    "Pods share no namespace, path or port with the node",
    on=WORKLOADS,
    severity="high",
    topic="hardening",
    why="Each of them is a way from the pod to the node and to its neighbours.",
    fix="Leave out host_network, host_pid, host_ipc, hostPath volumes and host_port.",
    passes=workload_with(
        {"ports": [{"containerPort": 8080}]},
        hostNetwork=False,
        hostPID=False,
        hostIPC=False,
        volumes=[{"name": "tmp", "emptyDir": {}}],
    ),
    breaks={
        f"{POD}.hostNetwork": True,
        f"{POD}.hostPID": True,
        f"{POD}.hostIPC": True,
        f"{POD}.volumes.0.hostPath": {"path": "/"},
        f"{FIRST}.ports.0.hostPort": 8080,
    },
    absent_passes=(f"{POD}.hostNetwork {POD}.hostPID {POD}.hostIPC {POD}.volumes.0.hostPath {FIRST}.ports.0.hostPort"),
    checkov="CKV_K8S_17 CKV_K8S_18 CKV_K8S_19 CKV_K8S_26",
    trivy="KSV-0009 KSV-0010 KSV-0023 KSV-0024",
    azure_policy="47a1ee2f",
    demand=lambda workload: every(
        [
            *(pod_of(workload)[name].or_default(False).is_false for name in ("hostNetwork", "hostPID", "hostIPC")),
            pod_of(workload)["volumes"].every(lambda volume: volume["hostPath"].absent),
            containers(
                workload,
                lambda container: container["ports"].every(
                    lambda port: port["hostPort"].absent | (port["hostPort"] == 0)
                ),
            ),
        ]
    ),
)

pinned_image = rule(
    "TRB-K8S-010",
    "Images are named by digest",
    on=WORKLOADS,
    severity="high",
    topic="supply chain",
    why="A tag may mean something else tomorrow; a digest is what was tested.",
    fix="Set image to <registry>/<repository>@sha256:<digest>.",
    passes=workload_with({"image": "crtributary.azurecr.io/consent@sha256:" + "0" * 64}),
    breaks={f"{FIRST}.image": "crtributary.azurecr.io/consent:latest"},
    checkov="CKV_K8S_14 CKV_K8S_43",
    trivy="KSV-0013",
    azure_policy="021f8078",
    demand=lambda workload: containers(
        workload, lambda container: container["image"].matches(r"[^@\s]+@sha256:[0-9a-f]{64}")
    ),
)

own_registry = rule(
    "TRB-K8S-011",
    "Images come from our own registry",
    on=WORKLOADS,
    severity="high",
    topic="supply chain",
    why="Others' registries go away, change, and serve what we did not look at.",
    fix="Copy the image into the platform's registry, or allow the registry in the policy config.",
    passes=workload_with({"image": "crtributary.azurecr.io/consent@sha256:" + "0" * 64}),
    breaks={f"{FIRST}.image": "docker.io/library/nginx:1"},
    # A registry on the loopback address is the embedded Azure's.
    settings={"registries": [r"[a-z0-9]+\.azurecr\.io", r"127\.0\.0\.1:\d+"]},
    trivy="KSV-0032 KSV-0125",
    azure_policy="febd0533",
    demand=lambda workload: containers(
        workload,
        lambda container: container["image"].matches(f"({'|'.join(workload.settings['registries'])})/.+"),
    ),
)

no_api_token = rule(
    "TRB-K8S-012",
    "Pods are given no token for the Kubernetes API",
    on=WORKLOADS,
    severity="medium",
    topic="hardening",
    why="Services of ours never call the API; an intruder in one would.",
    fix="Set automount_service_account_token=False.",
    passes=workload_with(automountServiceAccountToken=False),
    breaks={f"{POD}.automountServiceAccountToken": True},
    checkov="CKV_K8S_38",
    trivy="KSV-0036",
    azure_policy="423dd1ba",
    demand=lambda workload: pod_of(workload)["automountServiceAccountToken"].is_false,
)

no_secret_in_environment = rule(
    "TRB-K8S-013",
    "No secret is in the environment of a container",
    on=WORKLOADS,
    severity="high",
    topic="secrets",
    why="Environments end up in crash reports and child processes; services read the vault by their identity.",
    fix="Remove secretKeyRef, secretRef and literal passwords; read Key Vault with DefaultAzureCredential.",
    passes=workload_with({"env": [{"name": "PORT", "value": "8080"}]}),
    breaks={
        f"{FIRST}.env.0.valueFrom": {"secretKeyRef": {"name": "s", "key": "k"}},
        f"{FIRST}.env.0.name": "DATABASE_PASSWORD",
        f"{FIRST}.envFrom": [{"secretRef": {"name": "s"}}],
    },
    absent_passes=f"{FIRST}.env.0.valueFrom {FIRST}.envFrom",
    checkov="CKV_K8S_35",
    demand=lambda workload: containers(
        workload,
        lambda container: (
            container["env"].every(
                lambda variable: (
                    variable["name"].lacks(r"passw|secret|(^|_)pwd$|(api|access|account|shared)_?key$|(^|_)token$")
                    & variable["valueFrom.secretKeyRef"].absent
                )
            )
            & container["envFrom"].every(lambda source: source["secretRef"].absent)
        ),
    ),
)

own_namespace = rule(
    "TRB-K8S-014",
    "Nothing is put into the namespace default",
    on=NAMESPACED,
    severity="low",
    topic="hygiene",
    why="Rights and network policies are granted by namespace; in default everything meets everything.",
    fix="Set metadata.namespace.",
    passes={"metadata": {"namespace": "tributary"}},
    breaks={"metadata.namespace": "default"},
    checkov="CKV_K8S_21",
    trivy="KSV-0110",
    azure_policy="9f061a12",
    demand=lambda resource: resource["metadata.namespace"].present & resource["metadata.namespace"].none_of("default"),
)

own_service_account = rule(
    "TRB-K8S-015",
    "Pods run under a service account of their own",
    on=WORKLOADS,
    severity="medium",
    topic="identity",
    why="What is granted to the default account is granted to every pod of the namespace.",
    fix="Set service_account_name.",
    passes=workload_with(serviceAccountName="consent"),
    breaks={f"{POD}.serviceAccountName": "default"},
    checkov="CKV_K8S_41 CKV_K8S_42",
    demand=lambda workload: (
        pod_of(workload)["serviceAccountName"].present & pod_of(workload)["serviceAccountName"].none_of("default")
    ),
)

no_wildcards = rule(
    "TRB-K8S-016",
    "Roles name what they allow",
    on=("kubernetes:rbac.authorization.k8s.io/v1:Role", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole"),
    severity="high",
    topic="identity",
    why="A star also grants what Kubernetes learns next year.",
    fix="List verbs, resources and API groups.",
    passes={"rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"]}]},
    breaks={"rules.0.verbs": ["*"], "rules.0.resources": ["*"], "rules.0.apiGroups": ["*"]},
    absent_passes="rules.0.verbs rules.0.resources rules.0.apiGroups",
    checkov="CKV_K8S_49",
    trivy="KSV-0045",
    demand=lambda role: role["rules"].every(
        lambda each: every(
            each[what].every(lambda name: name.none_of("*")) for what in ("verbs", "resources", "apiGroups")
        )
    ),
)

no_secret_objects = rule(
    "TRB-K8S-020",
    "No Secret object is deployed with its content",
    on="kubernetes:core/v1:Secret",
    severity="medium",
    topic="secrets",
    why="A Secret lies in etcd and in Pulumi's state; services read the vault by their identity.",
    fix="Remove it; read Key Vault with DefaultAzureCredential.",
    passes={"metadata": {"name": "empty"}},
    breaks={"stringData": {"password": "x"}, "data": {"password": "eA=="}},
    absent_passes="stringData data",
    demand=lambda secret: ~secret["stringData"].present & ~secret["data"].present,
)

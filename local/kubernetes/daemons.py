"""The control plane as shipped (etcd, API server, controller manager, scheduler) and our node agent, as daemons."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path

from local.daemon import Daemon
from local.instance import REPOSITORY, Instance
from local.kubernetes import certificates, configuration
from local.kubernetes.files import Files
from local.kubernetes.network import node_address, pod_cidr, service_cidr


def prepare(instance: Instance, tools: Mapping[str, str | Path]) -> None:
    """Write keys, certificates, kubeconfigs and configuration files; safe to run again.

    Raises KeyError naming a program that ``tools`` lacks.
    """
    for program in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "python"):
        if program not in tools:
            raise KeyError(f"tools.json names no {program!r}; the toolchain step provides it. Run `make up` again.")
    instance.kubernetes.mkdir(parents=True, exist_ok=True, mode=0o700)
    instance.logs.mkdir(parents=True, exist_ok=True)
    certificates.issue_all(instance)
    configuration.write_all(instance)


def daemons(instance: Instance, tools: Mapping[str, str | Path]) -> list[Daemon]:
    """What has to run, in any order; ``after`` says what waits for what. ``prepare`` comes first."""
    files = Files.of(instance)
    cluster_ca, azure_ca = files.client_ca, instance.ca_certificate
    lean = {"GOGC": "60"}  # a laptop's memory matters more here than a few milliseconds of garbage collection

    def address(name: str) -> str:
        return f"https://127.0.0.1:{instance.port(name)}"

    return [
        Daemon(
            name="etcd",
            argv=[str(tools["etcd"]), *_etcd(instance, files)],
            environment=lean,
            ready=_answers(f"{address('etcd-client')}/health", cluster_ca, files.pki / "etcd-client"),
        ),
        Daemon(
            name="kube-apiserver",
            argv=[str(tools["kube-apiserver"]), *_apiserver(instance, files)],
            environment=lean,
            after=["etcd"],
            ready=_answers(f"{address('kube-apiserver')}/readyz", azure_ca),
        ),
        Daemon(
            name="kube-controller-manager",
            argv=[str(tools["kube-controller-manager"]), *_controller_manager(instance, files)],
            environment=lean,
            after=["kube-apiserver"],
            ready=_answers(f"{address('kube-controller-manager')}/healthz", cluster_ca),
        ),
        Daemon(
            name="kube-scheduler",
            argv=[str(tools["kube-scheduler"]), *_scheduler(instance, files)],
            environment=lean,
            after=["kube-apiserver"],
            ready=_answers(f"{address('kube-scheduler')}/healthz", cluster_ca),
        ),
        Daemon(
            name="node-agent",
            argv=[str(tools["python"]), "-m", "local.kubernetes.node", "--state", str(instance.state)],
            folder=REPOSITORY,
            after=["kube-apiserver"],
            ready=_answers(f"{address('kubelet')}/healthz", cluster_ca),
        ),
    ]


def _etcd(instance: Instance, files: Files) -> list[str]:
    client, peer = (f"https://127.0.0.1:{instance.port(each)}" for each in ("etcd-client", "etcd-peer"))
    certificate = [f"--{side}cert-file={files.pki}/etcd.pem" for side in ("", "peer-")]
    key = [f"--{side}key-file={files.pki}/etcd.key" for side in ("", "peer-")]
    trust = [f"--{side}trusted-ca-file={files.client_ca}" for side in ("", "peer-")]
    return [
        *("--name=local", f"--data-dir={files.etcd}"),
        *(f"--listen-client-urls={client}", f"--advertise-client-urls={client}"),
        *(f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}", f"--initial-cluster=local={peer}"),
        *certificate,
        *key,
        *trust,
        *("--client-cert-auth", "--peer-client-cert-auth", "--log-level=warn"),
        *("--auto-compaction-mode=periodic", "--auto-compaction-retention=1h", "--snapshot-count=5000"),
    ]


def _apiserver(instance: Instance, files: Files) -> list[str]:
    issuer = f"https://127.0.0.1:{instance.port('kube-apiserver')}"
    pki = files.pki
    return [
        *("--bind-address=127.0.0.1", f"--secure-port={instance.port('kube-apiserver')}"),
        # Loopback can't be advertised; nobody dials this address: processes are told the real one.
        f"--advertise-address={node_address(instance)}",
        f"--etcd-servers=https://127.0.0.1:{instance.port('etcd-client')}",
        *(f"--etcd-cafile={files.client_ca}", f"--etcd-certfile={pki}/etcd-client.pem"),
        f"--etcd-keyfile={pki}/etcd-client.key",
        *(f"--tls-cert-file={pki}/kube-apiserver.pem", f"--tls-private-key-file={pki}/kube-apiserver.key"),
        f"--client-ca-file={files.client_ca}",
        f"--kubelet-certificate-authority={files.client_ca}",
        f"--kubelet-client-certificate={pki}/{certificates.KUBELET_CLIENT}.pem",
        f"--kubelet-client-key={pki}/{certificates.KUBELET_CLIENT}.key",
        "--kubelet-preferred-address-types=InternalIP",
        f"--authentication-config={files.root}/authentication.yaml",
        *("--authorization-mode=Node,RBAC", "--enable-admission-plugins=NodeRestriction"),
        f"--encryption-provider-config={files.root}/encryption.yaml",
        f"--service-cluster-ip-range={service_cidr(instance)}",
        *(f"--service-account-issuer={issuer}", f"--service-account-jwks-uri={issuer}/openid/v1/jwks"),
        f"--service-account-key-file={pki}/service-account.pub",
        f"--service-account-signing-key-file={pki}/service-account.key",
        *("--allow-privileged=false", "--profiling=false"),
        *(f"--audit-policy-file={files.root}/audit-policy.yaml", f"--audit-log-path={instance.logs}/kube-audit.log"),
        *("--audit-log-maxsize=10", "--audit-log-maxbackup=2"),
    ]


def _controller_manager(instance: Instance, files: Files) -> list[str]:
    name = "kube-controller-manager"
    return [
        *_component(instance, files, name),
        f"--cluster-cidr={pod_cidr(instance)}",
        "--allocate-node-cidrs=false",
        "--use-service-account-credentials=true",
        # Its forty controllers fetch their credentials first; throttled for a shared cluster, that takes 4 s.
        *("--kube-api-qps=300", "--kube-api-burst=600"),
        f"--service-account-private-key-file={files.pki}/service-account.key",
        f"--root-ca-file={instance.ca_certificate}",
    ]


def _scheduler(instance: Instance, files: Files) -> list[str]:
    return _component(instance, files, "kube-scheduler")


def _component(instance: Instance, files: Files, name: str) -> list[str]:
    return [
        *(f"--kubeconfig={files.kubeconfig(name)}", "--leader-elect=false", "--profiling=false"),
        *("--bind-address=127.0.0.1", f"--secure-port={instance.port(name)}"),
        *(f"--tls-cert-file={files.pki}/{name}.pem", f"--tls-private-key-file={files.pki}/{name}.key"),
    ]


def _answers(url: str, authority: Path, client: Path | None = None) -> Callable[[], bool]:
    """A readiness check: whether GET answers 200 within a second. client: stem of a certificate and its key."""

    def ready() -> bool:
        try:
            trust = ssl.create_default_context(cafile=str(authority))
            if client is not None:
                trust.load_cert_chain(f"{client}.pem", f"{client}.key")
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
            )
            with opener.open(url, timeout=0.9) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    return ready

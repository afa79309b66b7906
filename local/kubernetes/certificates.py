"""Keys and certificates of the control plane and the node, each made once."""

from __future__ import annotations

import base64
from pathlib import Path

import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from local.instance import Instance
from local.kubernetes.files import NODE_NAME, Files
from local.pki import Authority, write_private

KUBELET_CLIENT = "kube-apiserver-kubelet-client"
"""Common name of the certificate with which the API server reads logs from the node agent."""
CLIENTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "admin": ("cluster-admin", ("system:masters",)),
    "kube-controller-manager": ("system:kube-controller-manager", ()),
    "kube-scheduler": ("system:kube-scheduler", ()),
    "kubelet": (f"system:node:{NODE_NAME}", ("system:nodes",)),
    "kube-proxy": ("system:kube-proxy", ()),
    "webhook": ("workload-identity-webhook", ()),
}
"""Who speaks to the API server: file stem → user and groups, as Kubernetes' built-in roles expect them."""


def issue_all(instance: Instance) -> None:
    """Make every key, certificate and kubeconfig that is not there yet."""
    files = Files.of(instance)
    files.pki.mkdir(parents=True, exist_ok=True, mode=0o700)
    azure = Authority(instance.ca_certificate, instance.azure / "ca.key", "Tributary local CA")
    cluster = Authority(files.client_ca, files.pki / "client-ca.key", "Local Kubernetes client CA")
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"]
    loopback = ["127.0.0.1", "localhost"]
    service = [f"{first}.{instance.service_octet}.0.1" for first in (10, 127)]
    azure.issue_files(files.pki, "kube-apiserver", [*loopback, *names, *service])
    azure.issue_files(files.pki, "workload-identity-webhook", loopback)
    for server in ("kube-controller-manager", "kube-scheduler", "kubelet"):
        cluster.issue_files(files.pki, server, [*loopback, NODE_NAME])
    cluster.issue_files(files.pki, "etcd", loopback, client=True)
    for client in ("etcd-client", KUBELET_CLIENT):
        cluster.issue_files(files.pki, client, client=True, server=False)
    _service_account_key(files.pki / "service-account.key", files.pki / "service-account.pub")
    for stem, (user, groups) in CLIENTS.items():
        _kubeconfig(instance, files.kubeconfig(stem), cluster, user, groups)


def _service_account_key(private: Path, public: Path) -> None:
    """RSA as in AKS, so that tokens are RS256, which every OIDC client verifies."""
    if private.exists() and public.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = serialization.Encoding.PEM
    write_private(private, key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    public.write_bytes(key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))


def _kubeconfig(instance: Instance, path: Path, authority: Authority, user: str, groups: tuple[str, ...]) -> None:
    if path.exists():
        return
    certificate, key = authority.issue(user, organizations=groups, client=True, server=False)
    document = kubeconfig(
        f"https://127.0.0.1:{instance.port('kube-apiserver')}", instance.ca_certificate.read_bytes(), user,
        {"client-certificate-data": _base64(certificate), "client-key-data": _base64(key)},
    )  # fmt: skip
    write_private(path, document.encode())


def kubeconfig(server: str, authority: bytes, user: str, credentials: dict[str, str], cluster: str = "local") -> str:
    """A kubeconfig document with one cluster, one user and one context.

    authority: PEM of the CA that signed the server's certificate. credentials: the user's fields.
    """
    return yaml.safe_dump(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {"name": cluster, "cluster": {"server": server, "certificate-authority-data": _base64(authority)}}
            ],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
            "current-context": cluster,
        },
        sort_keys=False,
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()

"""``python -m local.plugins.kubernetes``: what the launcher ``pulumi-resource-kubernetes`` runs."""

from __future__ import annotations

from local.plugins.kubernetes.provider import KubernetesProvider
from local.plugins.provider import serve

if __name__ == "__main__":
    serve(KubernetesProvider())

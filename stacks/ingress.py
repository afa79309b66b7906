"""Ingress: leads the gateway's requests to the services, each by the first segment of its paths."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_kubernetes import meta, networking

from components.ingress import CERTIFICATE, CLASS
from stacks.environment import PORT
from stacks.services import Service

NAME = "services"


def lead_in(
    services: Sequence[Service],
    host: str,
    vault_uri: pulumi.Input[str],
    metadata: meta.v1.ObjectMetaArgs,
    opts: pulumi.ResourceOptions,
) -> None:
    """One Ingress for all public services, over TLS with the vault's certificate "services-ingress"."""
    metadata.annotations = {
        CERTIFICATE: pulumi.Output.concat(vault_uri, "certificates/services-ingress"),
        # A receipt may have 5 MB, NGINX takes 1 MB by itself
        # (kubernetes.github.io/ingress-nginx/user-guide/nginx-configuration/annotations, "Custom max body size").
        # The services answer what is over 8 MB themselves.
        "nginx.ingress.kubernetes.io/proxy-body-size": "8m",
        # Pods wait for their migrations, and the balancer's address is nobody's dependency: nothing waits for it here.
        "pulumi.com/skipAwait": "true",
    }
    paths = [(path, service.name) for service in services for path in service.paths]
    networking.v1.Ingress(
        NAME,
        metadata=metadata,
        spec=networking.v1.IngressSpecArgs(
            ingress_class_name=CLASS,
            tls=[networking.v1.IngressTLSArgs(hosts=[host], secret_name=f"keyvault-{NAME}")],
            rules=[
                networking.v1.IngressRuleArgs(
                    host=host,
                    http=networking.v1.HTTPIngressRuleValueArgs(paths=[_path(*each) for each in paths]),
                )
            ],
        ),
        opts=opts,
    )


def _path(path: str, service: str) -> networking.v1.HTTPIngressPathArgs:
    port = networking.v1.ServiceBackendPortArgs(number=PORT)
    backend = networking.v1.IngressBackendArgs(service=networking.v1.IngressServiceBackendArgs(name=service, port=port))
    return networking.v1.HTTPIngressPathArgs(path=path, path_type="Prefix", backend=backend)

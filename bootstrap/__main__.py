"""Bootstrap: state and its keys, the pipelines' identities, the runner's network, the sign-in tenant's applications.

Run from the repository's root, whose packages it shares:
    PYTHONPATH=$PWD pulumi up --cwd bootstrap --stack main
"""

from __future__ import annotations

import ipaddress

import pulumi
from pulumi_azure_native import authorization, resources

from bootstrap.pipelines import make_pipeline
from bootstrap.settings import load_settings
from bootstrap.sign_in import make_sign_in
from bootstrap.state import OWN, make_state
from components.common import Site
from components.nat_gateway import NatArgs
from components.network import Network, NetworkArgs
from components.peering import PeeringArgs, peer
from components.runner import Runner, RunnerArgs
from stacks.platform import site_suffix

settings = load_settings()
client = authorization.get_client_config()
tags = {"project": pulumi.get_project(), "managed-by": "pulumi"}
group = resources.ResourceGroup(
    "bootstrap", resource_group_name=pulumi.get_project(), location=settings.location, tags=tags
)
site = Site(
    resource_group=group.name,
    location=settings.location,
    stack="boot",
    suffix=site_suffix(client.subscription_id, pulumi.get_project(), pulumi.get_stack()),
    tenant_id=client.tenant_id,
    subscription_id=client.subscription_id,
    tags=tags,
)
first = next(ipaddress.IPv4Network(settings.address_space).subnets(new_prefix=26))
network = Network(
    "runner",
    NetworkArgs(
        site=site,
        address_space=settings.address_space,
        subnets={"runner": str(first)},
        egress=NatArgs(),
        service_endpoints=True,
    ),
)
state = make_state(site, settings, [network.subnet_ids["runner"]])
pipelines = {
    stack: make_pipeline(stack, each, state.places[stack], site) for stack, each in settings.environments.items()
}
if settings.runner:
    runner = Runner(
        "runner",
        RunnerArgs(
            site=site,
            subnet_id=network.subnet_ids["runner"],
            size=settings.runner.size,
            ssh_public_key=settings.runner.ssh_public_key,
        ),
    )
    pulumi.export("runner", runner.scale_set_id)
for stack, there in settings.peers.items():
    network_id = network.subnet_ids["runner"].apply(lambda known: known.rsplit("/subnets/", 1)[0])
    peer(
        stack,
        PeeringArgs(site=site, network_id=network_id, other_id=there.network_id, zone_ids=there.zone_ids),
        pulumi.ResourceOptions(),
    )
applications = make_sign_in(settings.sign_in, settings.environments) if settings.sign_in else {}

pulumi.export(
    "environments",
    {
        stack: {
            "clientId": identity.client_id,
            "tenantId": client.tenant_id,
            "subscriptionId": client.subscription_id,
            "backend": state.places[stack].backend,
            "secretsProvider": state.places[stack].secrets_provider,
            "container": state.places[stack].container_id,
            "key": state.places[stack].key_id,
            "signIn": applications.get(stack),
        }
        for stack, identity in pipelines.items()
    },
)
own = state.places[OWN]
pulumi.export("own", {"backend": own.backend, "secretsProvider": own.secrets_provider})

"""Aggregator: deploys the packaged workloads onto the platform, each under an identity of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_kubernetes as kubernetes
from pulumi_kubernetes import apps, batch, core, meta

from components.workload_identity import WorkloadIdentity, WorkloadIdentityArgs, trust
from stacks import pods
from stacks.availability import disrupt_one_at_a_time, scale, spread
from stacks.data import QWAC, UPLOADS
from stacks.environment import PORT, Surroundings, callees, database_url, environment
from stacks.images import repository, service_images
from stacks.ingress import NAME as INGRESS
from stacks.ingress import lead_in
from stacks.isolation import Reach, isolate
from stacks.platform import Platform
from stacks.rights import grants
from stacks.services import NAMESPACE, Service
from stacks.settings import Settings
from stacks.vault_files import BANK_CERTIFICATE, PUSH_KEYS, VaultFiles

ADMINISTRATOR = "database-administrator"
"""Service account that the migrations run under."""


class Aggregator:
    """The services of an environment: images, identities, migrations and what Kubernetes runs."""

    def __init__(self, settings: Settings, platform: Platform, services: tuple[Service, ...]) -> None:
        self._settings, self._platform, self._services = settings, platform, services
        provider = kubernetes.Provider(
            "cluster",
            kubeconfig=platform.cluster.kubeconfig,
            # Without it a new kubeconfig would replace every object (pulumi-kubernetes#1148, #2745).
            cluster_identifier=platform.cluster.cluster_id,
            enable_server_side_apply=True,
        )
        self._in_cluster = pulumi.ResourceOptions(provider=provider)
        self._namespace = core.v1.Namespace(
            "tributary", metadata=meta.v1.ObjectMetaArgs(name=NAMESPACE), opts=self._in_cluster
        ).metadata.name

        self._images = service_images(
            sorted({each.package for each in self._services}),
            platform.registry.login_server,
            settings.images,
            settings.database.scheme,
        )
        reach = Reach(endpoints=settings.network.subnets.private_endpoints, private=settings.services.private_egress)
        isolate(services, reach, self._metadata, self._in_cluster)
        lead_in(services, settings.services_host, platform.vault.uri, self._metadata(INGRESS), self._in_cluster)
        self._addresses = {service.name: self._address(service) for service in self._services}
        self._administrator = self._database_administrator()
        identities = {service.name: self._identity(service) for service in self._services}
        self._surroundings = self._surroundings_of(settings, platform, identities)
        # Whoever holds users' data is not ready before the list of erasures answers, which must not queue behind it.
        listing = [each for each in self._services if each.lists_erasures]
        lists = [self._deploy(each, identities[each.name]) for each in listing]
        for service in self._services:
            if service not in listing:
                self._deploy(service, identities[service.name], lists if service.erases else ())

    def _surroundings_of(
        self, settings: Settings, platform: Platform, identities: Mapping[str, WorkloadIdentity]
    ) -> Surroundings:
        names = [each.name for each in self._services if each.erases]
        erasing = [identities[each].object_id for each in names]
        acting = [identities[each.name].object_id for each in self._services if each.acts]
        return Surroundings(
            database_scheme=settings.database.scheme,
            database_fqdn=platform.database.fqdn,
            tokens=platform.tokens,
            connection_string=platform.monitoring.connection_string,
            vault_uri=platform.vault.uri,
            uploads_url=pulumi.Output.concat(platform.uploads.blob_endpoint, UPLOADS),
            service_bus_host=platform.messaging.host,
            push_hub=platform.notifications.hub,
            certificates=sorted(name for name, each in settings.vault.certificates.items() if each.merged),
            acting_services=pulumi.Output.json_dumps(pulumi.Output.all(*acting)),
            holders=pulumi.Output.json_dumps(
                pulumi.Output.all(*erasing).apply(lambda ids: dict(zip(ids, names, strict=True)))
            ),
        )

    @property
    def addresses(self) -> dict[str, pulumi.Output[str]]:
        """Where each service answers, inside the cluster's network."""
        return {
            name: pulumi.Output.concat("http://", address.spec.cluster_ip, f":{PORT}")
            for name, address in self._addresses.items()
        }

    @property
    def images(self) -> dict[str, pulumi.Output[str]]:
        """Each image by digest, by its repository: what another stack's setting images.digests takes."""
        return {repository(package): image.reference for package, image in self._images.items()}

    def _address(self, service: Service) -> core.v1.Service:
        return core.v1.Service(
            service.name,
            metadata=self._metadata(service.name),
            spec=core.v1.ServiceSpecArgs(
                selector=pods.selector(service.name),
                ports=[core.v1.ServicePortArgs(name="http", port=PORT, target_port=PORT)],
            ),
            # A Service without ready pods is as it should be here: its pods wait for its address.
            opts=self._in_cluster,
        )

    def _database_administrator(self) -> core.v1.ServiceAccount:
        identity = self._platform.database.administrator
        site = self._platform.site
        self._administrator_trust = trust(
            ADMINISTRATOR,
            identity,
            self._platform.cluster.issuer,
            NAMESPACE,
            ADMINISTRATOR,
            site,
            pulumi.ResourceOptions(),
        )
        return self._service_account(ADMINISTRATOR, identity.client_id)

    def _service_account(self, name: str, client_id: pulumi.Input[str]) -> core.v1.ServiceAccount:
        return core.v1.ServiceAccount(
            name,
            metadata=self._metadata(name, annotations={"azure.workload.identity/client-id": client_id}),
            automount_service_account_token=False,
            opts=self._in_cluster,
        )

    def _identity(self, service: Service) -> WorkloadIdentity:
        return WorkloadIdentity(
            service.name,
            WorkloadIdentityArgs(
                site=self._platform.site,
                issuer=self._platform.cluster.issuer,
                namespace=NAMESPACE,
                service_account=service.name,
                grants=grants(service, self._platform),
            ),
        )

    def _deploy(
        self, service: Service, identity: WorkloadIdentity, after: Sequence[pulumi.Resource] = ()
    ) -> apps.v1.Deployment:
        platform = self._platform
        account = self._service_account(service.name, identity.client_id)
        addresses = [self._addresses[name] for name in (service.name, *callees(service, self._services))]
        waits: list[pulumi.Resource] = [identity.trust, *identity.grants, platform.cluster.pull, *addresses, *after]
        if service.database:
            waits.append(self._migration(service, identity))
        waits += [self._provider_class(each, identity) for each in self._files(service)]
        deployment = self._deployment(service, account, waits)
        wanted = self._settings.services
        disrupt_one_at_a_time(service.name, self._metadata(service.name), self._in_cluster)
        scale(service.name, self._metadata(service.name), wanted.replicas, wanted.replicas_maximum, self._in_cluster)
        return deployment

    def _files(self, service: Service) -> list[VaultFiles]:
        """What of the vault its pods have as files."""
        shows = service.connects_banks and QWAC in self._surroundings.certificates
        return [*([BANK_CERTIFICATE] if shows else []), *([PUSH_KEYS] if service.pushes else [])]

    def _provider_class(self, files: VaultFiles, identity: WorkloadIdentity) -> pulumi.Resource:
        platform = self._platform
        given = files.parameters(platform.vault.name, platform.site.tenant_id, identity.client_id)
        return files.provider_class(given, self._metadata(files.name), self._in_cluster)

    def _migration(self, service: Service, identity: WorkloadIdentity) -> batch.v1.Job:
        """Makes the service's database user and brings its tables up to date; safe to run again."""
        platform, image = self._platform, self._images[service.package]
        variables = {
            "DATABASE_URL": database_url(self._settings.database.scheme, platform.database.fqdn, service.database_name),
            "SERVICE_NAME": service.name,
            "SERVICE_OBJECT_ID": identity.object_id,
            "SERVICE_CLIENT_ID": identity.client_id,
        }
        # A Job can't be changed: its name follows the content of the image, so that a new image is a new Job.
        name = f"migrate-{service.name}-{image.content[:8]}"
        container = pods.container(
            "migrate",
            image.reference,
            variables,
            command=["python", "-m", "workloads.chassis.migrate", service.package],
            serves=False,
        )
        return batch.v1.Job(
            f"migrate-{service.name}",
            metadata=self._metadata(name),
            spec=batch.v1.JobSpecArgs(
                backoff_limit=6,
                template=pods.pod(name, "migration", self._administrator.metadata.name, container, restart="OnFailure"),
            ),
            opts=pulumi.ResourceOptions.merge(
                self._in_cluster,
                pulumi.ResourceOptions(
                    depends_on=[
                        self._administrator_trust,
                        platform.cluster.pull,
                        *platform.database.prerequisites(service.database_name),
                    ],
                    delete_before_replace=True,
                ),
            ),
        )

    def _deployment(
        self, service: Service, account: core.v1.ServiceAccount, waits: list[pulumi.Resource]
    ) -> apps.v1.Deployment:
        image, wanted = self._images[service.package], self._settings.services
        scaled = wanted.replicas_maximum > wanted.replicas
        files = self._files(service)
        container = pods.container(
            service.name,
            image.reference,
            environment(service, self._surroundings, self._services),
            mounts=[each.mount() for each in files],
        )
        return apps.v1.Deployment(
            service.name,
            metadata=self._metadata(service.name),
            spec=apps.v1.DeploymentSpecArgs(
                replicas=wanted.replicas,
                selector=meta.v1.LabelSelectorArgs(match_labels=pods.selector(service.name)),
                template=pods.pod(
                    service.name,
                    "service",
                    account.metadata.name,
                    container,
                    spread=spread(service.name),
                    volumes=[each.volume() for each in files],
                ),
            ),
            opts=pulumi.ResourceOptions.merge(
                self._in_cluster,
                # How many there are once they run is the autoscaler's business.
                pulumi.ResourceOptions(depends_on=waits, ignore_changes=["spec.replicas"] if scaled else None),
            ),
        )

    def _metadata(self, name: str, annotations: dict[str, pulumi.Input[str]] | None = None) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(
            name=name, namespace=self._namespace, labels=pods.labels(name), annotations=annotations
        )

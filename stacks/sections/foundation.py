"""Foundation: sections of what everything else stands on, and the kinds of values that all sections share."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, HttpUrl, TypeAdapter, model_validator
from pydantic.alias_generators import to_camel

from components.identity import DISCOVERY
from components.subnets import PURPOSES

REGIONS = (
    "austriaeast",
    "belgiumcentral",
    "denmarkeast",
    "francecentral",
    "germanywestcentral",
    "italynorth",
    "northeurope",
    "polandcentral",
    "spaincentral",
    "swedencentral",
    "uksouth",
    "ukwest",
    "westeurope",
)
"""Azure regions in the EU and the United Kingdom: account data of their residents stays there."""
UNZONED = frozenset({"ukwest"})
"""Of these, the ones without availability zones."""


def partner(region: str) -> str:
    """The second region of what is copied to one: under the same law, and another one than the first."""
    if region.startswith("uk"):
        return "ukwest" if region == "uksouth" else "uksouth"
    return "westeurope" if region == "northeurope" else "northeurope"


_PRIVATE = [ipaddress.IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")]
_URL = TypeAdapter(HttpUrl)


def _private_network(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"{error}") from None
    if not any(network.subnet_of(each) for each in _PRIVATE):
        raise ValueError("it is not a private network (RFC 1918)")
    return value


def _web_address(value: str) -> str:
    try:
        parsed = _URL.validate_python(value)
    except ValueError:
        raise ValueError("it is not a URL") from None
    if parsed.scheme != "https":
        raise ValueError("its scheme is not https")
    return value


def _ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Network(value))
    except ValueError as error:
        raise ValueError(f"{error}") from None


Addresses = Annotated[
    str, AfterValidator(_ipv4), Field(description="an IPv4 address or block such as 203.0.113.7 or 203.0.113.0/24")
]
Cidr = Annotated[
    str, AfterValidator(_private_network), Field(description="a private IPv4 network such as 10.20.0.0/16")
]
HttpsUrl = Annotated[str, AfterValidator(_web_address), Field(description="a URL that starts with https://")]
Uuid = Annotated[str, Field(pattern="^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", description="a lower-case UUID")]
Zone = Literal["1", "2", "3"]


class Section(BaseModel):
    """A block of settings: immutable, strict about types, closed to names it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, populate_by_name=True)


class Subnets(Section):
    """A subnet a purpose; null where there is none. Purposes and their sizes: components/subnets.py."""

    cluster: Cidr
    private_endpoints: Cidr
    gateway: Cidr | None = None
    edge: Cidr | None = None
    web: Cidr | None = None
    functions: Cidr | None = None
    api_server: Cidr | None = None
    runner: Cidr | None = None
    firewall: Cidr | None = None

    def named(self) -> dict[str, str]:
        """Address block by the name of the setting."""
        return self.model_dump(by_alias=True, exclude_none=True)

    def purposes(self) -> dict[str, str]:
        """Address block by the purpose's name."""
        return {name.replace("_", "-"): block for name, block in self.model_dump(exclude_none=True).items()}


class AllowedHosts(Section):
    """Hosts that may be called through the firewall by HTTPS. sources: purposes of subnets; tags: Azure's FQDN tags."""

    sources: Annotated[
        list[Literal["cluster", "web", "functions", "runner"]],
        Field(min_length=1, description="at least one of cluster, web, functions, runner"),
    ]
    hosts: list[str] = []
    tags: list[str] = []

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if bool(self.hosts) == bool(self.tags):
            raise ValueError("hosts: either hosts or tags must be given, not both; allowed is one rule for each")
        return self


class Network(Section):
    """The virtual network and the networks inside the cluster, which must not overlap it.

    egress: how services reach the internet; "firewall" needs subnets.firewall and lets allowed_hosts through alone.
    private: whether data has private endpoints and no public address; else subnets reach it by service endpoints.
    deployers: a peered network that deployments come from, e.g. the bootstrap's; null for none.
    """

    address_space: Cidr
    subnets: Subnets
    pods: Cidr
    services: Cidr
    egress: Literal["none", "nat", "firewall"]
    firewall_tier: Literal["Standard", "Premium"]
    allowed_hosts: dict[str, AllowedHosts]
    private: bool
    deployers: Cidr | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        space = ipaddress.IPv4Network(self.address_space)
        if not 16 <= space.prefixlen <= 24:
            raise ValueError(f"addressSpace: {self.address_space} has the wrong size; allowed is /16 to /24")
        blocks = {name: ipaddress.IPv4Network(block) for name, block in self.subnets.named().items()}
        longest = {
            name: PURPOSES[purpose].longest_prefix
            for name, purpose in zip(blocks, self.subnets.purposes(), strict=True)
        }
        for name, block in blocks.items():
            if block.prefixlen > longest[name]:
                raise ValueError(f"subnets.{name}: {block} is too small; allowed is /{longest[name]} or larger")
            if not block.subnet_of(space):
                raise ValueError(f"subnets.{name}: {block} is outside the address space {space}")
        for name, prefix in (("pods", 20), ("services", 24)):
            network = ipaddress.IPv4Network(getattr(self, name))
            if network.prefixlen > prefix:
                raise ValueError(f"{name}: {network} is too small; allowed is /{prefix} or larger")
            blocks[name] = network
        _refuse_overlap({f"subnets.{n}" if n in self.subnets.named() else n: b for n, b in blocks.items()})
        whole = {"addressSpace": space, "pods": blocks["pods"], "services": blocks["services"]}
        _refuse_overlap(whole | ({"deployers": ipaddress.IPv4Network(self.deployers)} if self.deployers else {}))
        if self.egress == "firewall" and self.subnets.firewall is None:
            raise ValueError("subnets.firewall: is missing, and egress is firewall; allowed is /26 or larger")
        return self


def _refuse_overlap(blocks: dict[str, ipaddress.IPv4Network]) -> None:
    names = list(blocks)
    for index, name in enumerate(names):
        for other in names[:index]:
            if blocks[name].overlaps(blocks[other]):
                raise ValueError(
                    f"{name}: {blocks[name]} overlaps {other} ({blocks[other]}); allowed are networks without overlap"
                )


class Monitoring(Section):
    """How long logs are kept, and what share of requests is recorded."""

    retention_days: Annotated[int, Field(ge=30, le=730, description="days, 30 to 730")]
    sampling_percentage: Annotated[float, Field(gt=0, le=100, description="more than 0, at most 100")]


class Registry(Section):
    """The container registry. Retention, zones, replicas and private endpoints need Premium.

    replicated: a second region holds every image. cached: public repositories by the repository that copies them.
    """

    sku: Literal["Basic", "Standard", "Premium"]
    zone_redundant: bool
    retention_days: Annotated[int, Field(ge=0, le=365, description="days, 0 (off) to 365")]
    replicated: bool
    cached: dict[str, str]

    @model_validator(mode="after")
    def _premium(self) -> Self:
        if self.sku != "Premium" and self.zone_redundant:
            raise ValueError(f"zoneRedundant: true needs sku Premium, and sku is {self.sku}")
        if self.sku != "Premium" and self.replicated:
            raise ValueError(f"replicated: true needs sku Premium, and sku is {self.sku}")
        if self.sku != "Premium" and self.retention_days:
            raise ValueError(
                f"retentionDays: {self.retention_days} needs sku Premium, and sku is {self.sku}; allowed is 0"
            )
        return self


class Certificate(Section):
    """A certificate that a trust service provider signs.

    use: "transport" (QWAC) or "seal" (QSealC). hosts: DNS names. merged: whether the signed one is in the vault; only
    then services are told of it.
    """

    subject: Annotated[str, Field(pattern="CN=.+", description='a distinguished name, e.g. "CN=…, O=…, C=…"')]
    use: Literal["transport", "seal"] = "transport"
    hosts: list[str] = Field(default_factory=list)
    merged: bool = False


class Vault(Section):
    """The key vault. Purge protection can never be switched off again.

    allowed_addresses: of those who bring it certificates, where it has a public address at all.
    rotate_days: after which keys get a new version. seal_expires: last day of the seal's certificate (QSealC), which
    sku premium keeps the key of; null for no seal. certificates: by name, asked for where there is none; the connector
    shows banks the one named "qwac" and signs with the one named "qseal".
    """

    sku: Literal["standard", "premium"]
    purge_protection: bool
    allowed_addresses: list[Addresses] = Field(default_factory=list)
    rotate_days: Annotated[int, Field(ge=28, le=365, description="days, 28 to 365")]
    seal_expires: Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", description="a date such as 2028-11-30")] | None
    soft_delete_days: Annotated[int, Field(ge=7, le=90, description="days, 7 to 90")]
    certificates: dict[str, Certificate] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _hardware(self) -> Self:
        if self.seal_expires and self.sku != "premium":
            raise ValueError(f"sealExpires: a seal's key needs sku premium, and sku is {self.sku}; allowed is null")
        seals = [name for name, each in self.certificates.items() if each.use == "seal"]
        if seals and self.sku != "premium":
            raise ValueError(f"certificates: {seals[0]} is a seal, which needs sku premium, and sku is {self.sku}")
        return self


class Storage(Section):
    """Storage of uploads and evidence. evidence_days: that evidence can't be changed, for good; 0 for trying out."""

    replication: Literal["Standard_LRS", "Standard_ZRS", "Standard_GZRS", "Standard_RAGZRS"]
    evidence_days: Annotated[int, Field(ge=0, le=146000, description="days, 0 to 146000")]
    soft_delete_days: Annotated[int, Field(ge=1, le=365, description="days, 1 to 365")]


class ElasticPool(Section):
    """Capacity that the databases share. capacity: vCores (vCore tiers) or DTUs; storage_gb: of the whole pool."""

    sku: Annotated[
        str,
        Field(
            pattern="^(BasicPool|StandardPool|PremiumPool|GP_Gen5|BC_Gen5)$",
            description="BasicPool, StandardPool, PremiumPool, GP_Gen5, BC_Gen5",
        ),
    ]
    tier: Literal["Basic", "Standard", "Premium", "GeneralPurpose", "BusinessCritical"]
    capacity: Annotated[int, Field(ge=2, le=3000, description="vCores or DTUs, 2 to 3000")]
    storage_gb: Annotated[int, Field(ge=1, le=4096, description="GB, 1 to 4096")]


class Retention(Section):
    """How long backups are kept. days: any moment; weeks, months, years: a backup each."""

    days: Annotated[int, Field(ge=1, le=35, description="days, 1 to 35")]
    weeks: Annotated[int, Field(ge=0, le=520, description="weeks, 0 to 520")]
    months: Annotated[int, Field(ge=0, le=120, description="months, 0 to 120")]
    years: Annotated[int, Field(ge=0, le=10, description="years, 0 to 10")]


class Database(Section):
    """The SQL server. scheme: dialect and driver in SQLAlchemy's URLs; sku: of a database outside an elastic pool.

    protected: threat protection and vulnerability assessment. replicated: a second region takes over.
    """

    scheme: Literal["mssql+pyodbc", "postgresql+psycopg"]
    sku: Annotated[str, Field(min_length=2, description="a SKU such as S0 or GP_S_Gen5_1")]
    zone_redundant: bool
    backup_redundancy: Literal["Local", "Zone", "Geo", "GeoZone"]
    elastic_pool: ElasticPool | None
    protected: bool
    retention: Retention | None
    maintenance: Literal["weekday", "weekend"] | None
    replicated: bool


class UserNodes(Section):
    """Nodes that services run on."""

    size: Annotated[str, Field(pattern="^Standard_[A-Za-z0-9_]+$", description="a VM size such as Standard_D4ds_v5")]
    count: Annotated[int, Field(ge=1, le=100, description="nodes, 1 to 100")]
    maximum: Annotated[int, Field(ge=1, le=100, description="nodes, 1 to 100")]

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.maximum < self.count:
            raise ValueError(f"maximum: {self.maximum} is less than count ({self.count})")
        return self


class MaintenanceWindow(Section):
    """When upgrades happen, every week. hour: of the start, in UTC."""

    day: Literal["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
    hour: Annotated[int, Field(ge=0, le=23, description="an hour, 0 to 23")]


class Cluster(Section):
    """The Kubernetes cluster. login: how kubelogin signs in; admin_groups: Entra groups that administer it.

    private: whether its API server is in the virtual network alone, in the subnet apiServer.
    os_disk_gb: of each node; an ephemeral one must fit onto the machine's own disk, 150 GiB for Standard_D4ds_v5.
    encryption_at_host: of the nodes; the subscription must have the feature Microsoft.Compute/EncryptionAtHost.
    allowed_addresses: that a public API server answers, beside its own nodes. user_nodes: nodes of the services, apart
    from the system's; null for none. maintenance: window of upgrades. observed: metrics and logs are collected.
    """

    tier: Literal["Free", "Standard", "Premium"]
    kubernetes_version: Annotated[str, Field(pattern=r"^1\.\d{2}$", description="a minor version such as 1.34")]
    node_size: Annotated[
        str, Field(pattern="^Standard_[A-Za-z0-9_]+$", description="a VM size such as Standard_D4ds_v5")
    ]
    node_count: Annotated[int, Field(ge=1, le=100, description="nodes, 1 to 100")]
    node_maximum: Annotated[int, Field(ge=1, le=100, description="nodes, 1 to 100")]
    os_disk: Literal["Ephemeral", "Managed"]
    os_disk_gb: Annotated[int, Field(ge=30, le=2048, description="GB, 30 to 2048")]
    zones: list[Zone]
    login: Literal["azurecli", "workloadidentity", "spn"]
    admin_groups: list[Uuid]
    private: bool
    encryption_at_host: bool
    defender: bool
    allowed_addresses: list[Addresses]
    user_nodes: UserNodes | None
    maintenance: MaintenanceWindow | None
    observed: bool

    @model_validator(mode="after")
    def _grows(self) -> Self:
        if self.node_maximum < self.node_count:
            raise ValueError(f"nodeMaximum: {self.node_maximum} is less than nodeCount ({self.node_count})")
        return self


_AUDIENCE = Field(min_length=1, description="the audience of access tokens, e.g. api://tributary")


class ServiceTokens(Section):
    """Whose tokens services show each other: Entra ID's of the subscription's tenant, for an application there."""

    issuer: HttpsUrl
    audience: Annotated[str, _AUDIENCE]


_EXTERNAL_ID = ".ciamlogin.com"


def _as_tokens_name_it(issuer: str) -> str:
    """External ID's tokens name their tenant by its id, whatever name it is asked by: the gateway compares that
    (learn.microsoft.com/entra/identity-platform/access-token-claims-reference, ``iss``).
    """
    parts = urlsplit(issuer)
    host, tenant = parts.hostname or "", parts.path.strip("/").split("/")[0]
    if host.endswith(_EXTERNAL_ID) and host != tenant + _EXTERNAL_ID:
        raise ValueError(
            f"External ID's tokens name a tenant by its id, here https://{tenant}{_EXTERNAL_ID}{parts.path}"
        )
    return issuer.rstrip("/") if host.endswith(_EXTERNAL_ID) else issuer


def _of_a_document(address: str) -> str:
    if not urlsplit(address).path.endswith(DISCOVERY) or not address.endswith(DISCOVERY):
        raise ValueError(f"it does not end in {DISCOVERY}")
    return address


class SignIn(Section):
    """Whose bearer tokens identify users. services: the same of services' own; null: issuer is a tenant of both.

    discovery: where the issuer's document is, with identity: null; null: below the issuer itself. A B2C tenant's flows
    have each their own (learn.microsoft.com/azure/active-directory-b2c/tokens-overview).
    """

    issuer: Annotated[HttpsUrl, AfterValidator(_as_tokens_name_it)]
    audience: Annotated[str, _AUDIENCE]
    discovery: Annotated[HttpsUrl, AfterValidator(_of_a_document)] | None = None
    services: ServiceTokens | None = None

    @property
    def document(self) -> str:
        """Where the issuer's document is."""
        return self.discovery or self.issuer.rstrip("/") + DISCOVERY


class Images(Section):
    """How the services' images come to the registry.

    builder: "layer" (our code alone, for the embedded Azure), "docker" or "buildah" (workloads/images/Dockerfile, built
    where the program runs), "digests" (built and tried elsewhere). base_image: of the Dockerfile.
    digests: for "digests", a JSON file below the program's folder: repository → image by digest, e.g. what
    `pulumi stack output images --json` says of the stack that they were tried in.
    """

    builder: Literal["layer", "docker", "buildah", "digests"]
    base_image: Annotated[str, Field(min_length=1, description="an image such as docker.io/library/python:3.11-slim")]
    digests: Annotated[str, Field(pattern=r"^[^/].*\.json$", description="a JSON file, by its path below the program")]


class Services(Section):
    """The deployed services. sandbox_banks: whether the two banks that only exist for trying out are deployed.

    replicas, replicas_maximum: pods of a service; an autoscaler works between them. private_egress: whether pods reach
    data, secrets and telemetry by private endpoints alone, and of the internet only sign-in (the connector: banks).
    """

    replicas: Annotated[int, Field(ge=1, le=20, description="pods of a service, 1 to 20")]
    replicas_maximum: Annotated[int, Field(ge=1, le=50, description="pods of a service, 1 to 50")]
    private_egress: bool
    sandbox_banks: bool

    @model_validator(mode="after")
    def _grow(self) -> Self:
        if self.replicas_maximum < self.replicas:
            raise ValueError(f"replicasMaximum: {self.replicas_maximum} is less than replicas ({self.replicas})")
        return self


class Safeguards(Section):
    """What keeps data from being lost and read. locked: Azure's locks on what holds data; protected: Pulumi's.

    customer_keys: encrypts data with keys of the vault, which must have purge protection.
    """

    locked: bool
    protected: bool
    customer_keys: bool


class Upgrades(Section):
    """How the stack's state came to be.

    azure_native: major version of azure-native's SDK that wrote the state; raised after the first update with another.
    """

    azure_native: Annotated[int, Field(ge=1)]

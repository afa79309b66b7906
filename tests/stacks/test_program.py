"""The same program makes local, dev and prod; each service is told what it needs, and may do what it needs."""

from __future__ import annotations

import ast
import json
import re
import runpy
from typing import Any

import pulumi
import pytest
from pulumi_azure_native import apimanagement, network

from components.common import ROLES
from local.kubernetes.node import admission, provider_class
from stacks.services import SANDBOX_BANKS
from stacks.services import deployed as services
from stacks.transforms import installed_major, use_transforms
from tests.components.mocks import TENANT, Registered, Registration, run
from tests.components.secrets import is_secret
from tests.stacks.program import ROOT, STACKS, config, deployed
from workloads.chassis.authorisation_forms import AuthorisationCode, OneTimePassword, PsuPassword
from workloads.chassis.bodies import LARGEST
from workloads.services.consent.forms import ConsentRequest
from workloads.services.document.domain import LARGEST_BYTES
from workloads.services.notification.forms import BrowserChannel
from workloads.services.privacy.domain import HOLDERS


def container(registered: Registered, name: str) -> dict[str, Any]:
    return registered.one(":Deployment", name).inputs["spec"]["template"]["spec"]["containers"][0]


def variables(registered: Registered, name: str) -> dict[str, str]:
    return {each["name"]: each.get("value", "") for each in container(registered, name)["env"]}


def names(stack: str) -> set[str]:
    return {each.name for each in deployed(stack).of(":Deployment")}


@pytest.mark.parametrize("stack", STACKS)
def test_a_preview_plans_what_an_update_makes(stack: str) -> None:
    planned, made = deployed(stack, preview=True).resources, deployed(stack).resources
    assert sorted((r.type, r.name) for r in planned) == sorted((r.type, r.name) for r in made)


@pytest.mark.parametrize("stack", STACKS)
def test_no_two_resources_share_a_urn(stack: str) -> None:
    urns = [each.urn for each in deployed(stack).resources]
    assert len(urns) == len(set(urns))


def test_sandbox_banks_are_never_in_production() -> None:
    assert {"bank-aurora", "bank-borealis"} <= names("local") & names("dev")
    banks = tuple(each.name for each in SANDBOX_BANKS)
    made = [each.name for each in deployed("prod").resources]
    assert not [each for each in made if each.startswith(banks) or "sandbox" in each]
    assert "BANK_URLS" not in variables(deployed("prod"), "connector")


def test_the_sandbox_banks_are_one_image_with_different_data() -> None:
    registered = deployed("local")
    assert len({container(registered, f"bank-{each}")["image"] for each in ("aurora", "borealis")}) == 1
    assert variables(registered, "bank-aurora")["SANDBOX_BANK"] == "aurora"
    assert variables(registered, "bank-borealis")["SANDBOX_BANK"] == "borealis"
    assert json.loads(variables(registered, "connector")["BANK_URLS"]) == {
        "aurora": "http://$(BANK_AURORA_SERVICE_HOST):$(BANK_AURORA_SERVICE_PORT)",
        "borealis": "http://$(BANK_BOREALIS_SERVICE_HOST):$(BANK_BOREALIS_SERVICE_PORT)",
        "albion": "http://$(BANK_ALBION_SERVICE_HOST):$(BANK_ALBION_SERVICE_PORT)/open-banking",
    }


@pytest.mark.parametrize(
    ("stack", "url"),
    [
        ("local", "postgresql+psycopg://sql.example/{}?sslmode=verify-full"),
        ("prod", "mssql+pyodbc://sqlfg-main-prod-daenkl.example/{}?driver=ODBC+Driver+18+for+SQL+Server&Encrypt=yes"),
    ],
)
def test_each_service_is_told_its_own_database_without_credentials(stack: str, url: str) -> None:
    registered = deployed(stack)
    databases = {each.inputs["databaseName"] for each in registered.of("sql:Database")}
    assert databases == names(stack) - {"bank-directory"}, "it has no data"
    for name in databases:
        assert variables(registered, name)["DATABASE_URL"] == url.format(name)


def test_the_notification_service_alone_has_the_hubs_keys_and_no_others_of_the_vault() -> None:
    registered = deployed("prod")
    told = {"PUSH_HUB", "PUSH_LISTEN", "PUSH_SEND"}
    for each in services(sandbox_banks=False):
        assert told & set(variables(registered, each.name)) == (told if each.name == "notification" else set())
    (made,) = [each.inputs for each in registered.of(":SecretProviderClass") if each.name == "push-keys"]
    wanted = provider_class.read("push-keys", dict(made))
    assert {(each.name, each.kind, each.file) for each in wanted.objects} == {
        ("push-listen", "secret", "listen"), ("push-send", "secret", "send"),
    }  # fmt: skip
    (mounted,) = [m for m in container(registered, "notification")["volumeMounts"] if m["name"] != "scratch"]
    assert {variables(registered, "notification")[f"PUSH_{each}"] for each in ("LISTEN", "SEND")} == {
        f"{mounted['mountPath']}/{each.file}" for each in wanted.objects
    }
    readers = {
        (each.name, each.inputs["scope"])
        for each in registered.of(":RoleAssignment")
        if "/Secret/" in each.inputs["scope"]
    }
    assert readers == {
        (f"notification-reads-push-{each}", f"/id/of/Secret/main-push-{each}") for each in ("listen", "send")
    }
    for each in ("listen", "send"):
        kept = registered.one("keyvault:Secret", f"main-push-{each}").inputs["properties"]
        assert is_secret(kept) or is_secret(kept["value"]), "it is encrypted in the stack's state"


def test_the_connector_alone_is_told_of_certificates_and_of_those_that_are_merged_alone() -> None:
    subject = "CN=Example, O=Example, C=DE"
    asked = {"qwac": {"subject": subject, "merged": True}, "qseal": {"subject": subject, "use": "seal"}}
    settings = config("prod") | {"tributary:vault": {"certificates": asked}}
    registered = run(lambda: runpy.run_path(str(ROOT / "__main__.py")), config=settings, stack="prod")
    assert {each.inputs["name"] for each in registered.of(":VaultCertificate")} == {"qwac", "qseal"}
    for each in services(sandbox_banks=False):
        told = {name for name in variables(registered, each.name) if name.endswith("_CERTIFICATE")}
        assert told == ({"QWAC_CERTIFICATE"} if each.name == "connector" else set()), each.name
    pods = {each.name: each.inputs["spec"]["template"]["spec"] for each in registered.of(":Deployment")}
    mounting = {name for name, each in pods.items() if any("csi" in volume for volume in each["volumes"])}
    assert mounting == {"connector", "notification"}
    assert variables(registered, "connector")["QWAC_CERTIFICATE"] == "/certificates/qwac.pem"
    (mounted,) = [m for m in container(registered, "connector")["volumeMounts"] if m["name"] != "scratch"]
    assert (mounted["mountPath"], mounted["readOnly"]) == ("/certificates", True)
    (made,) = [each.inputs for each in registered.of(":SecretProviderClass") if each.name == "bank-certificate"]
    wanted = provider_class.read("bank-certificate", dict(made))
    assert made["metadata"]["namespace"] == "tributary"
    (connector,) = [
        each.inputs["metadata"]["annotations"]["azure.workload.identity/client-id"]
        for each in registered.of(":ServiceAccount") if each.name == "connector"
    ]  # fmt: skip
    assert (wanted.client, wanted.tenant) == (connector, TENANT)
    assert [(each.name, each.kind, each.file) for each in wanted.objects] == [("qwac", "secret", "qwac.pem")]
    refused = [each for name, each in pods.items() for each in admission.refusals({"spec": each})]
    assert refused == [], "the embedded cluster takes them"
    rights = {
        each.name: (each.inputs["scope"], each.inputs["roleDefinitionId"].rsplit("/", 1)[-1])
        for each in registered.of(":RoleAssignment")
        if each.name.startswith("connector-") and "/Vault/main" in each.inputs["scope"]
    }
    # That these are enough is tried in tests/local/azure/dataplanes/test_keyvault_certificates.py.
    assert rights == {
        "connector-key-vault-crypto-user": ("/id/of/Vault/main", ROLES["Key Vault Crypto User"]),
        "connector-reads-qwac": ("/id/of/Vault/main/secrets/qwac", ROLES["Key Vault Secrets User"]),
        "connector-reads-qseal": ("/id/of/Vault/main/certificates/qseal", ROLES["Key Vault Certificate User"]),
    }


def test_the_edge_looks_for_names_when_they_lead_somewhere() -> None:
    """What it finds is kept until it is stopped and started again."""
    after = deployed("prod").one(":ApplicationGateway").after
    groups = {each.rpartition("::")[2] for each in after if ":PrivateDnsZoneGroup::" in each}
    assert groups == {"main-vault", "app-site"}


@pytest.mark.parametrize("stack", STACKS)
def test_the_budget_counts_the_nodes_too(stack: str) -> None:
    (nodes,) = {each.inputs["nodeResourceGroup"] for each in deployed(stack).of(":ManagedCluster")}
    chosen = deployed(stack).one(":Budget").inputs["filter"]["dimensions"]["values"]
    assert set(chosen) == {f"rg-tributary-{stack}", nodes}


@pytest.mark.parametrize("stack", STACKS)
def test_who_is_to_mend_it_hears_of_uploads_that_nothing_is_told_of(stack: str) -> None:
    alert = deployed(stack).one(":MetricAlert", "main-undelivered-events").inputs
    criterion = alert["criteria"]["allOf"][0]
    assert alert["scopes"] == ["/id/of/SystemTopic/events"]
    assert (criterion["metricName"], criterion["threshold"]) == ("DeliveryAttemptFailCount", 0)


@pytest.mark.parametrize(("stack", "ledgers"), [("local", set()), ("dev", set()), ("prod", {"audit"})])
def test_the_audit_trail_alone_is_a_ledger_and_in_prod_alone(stack: str, ledgers: set[str]) -> None:
    """A ledger keeps what is deleted: no database may be one that people's data is erased from."""
    databases = {each.inputs["databaseName"]: each.inputs for each in deployed(stack).of("sql:Database")}
    assert {name for name, each in databases.items() if each.get("isLedgerOn")} == ledgers


@pytest.mark.parametrize("stack", STACKS)
def test_every_variable_is_in_the_documented_contract(stack: str) -> None:
    documented = set(re.findall(r"`([A-Z_]+)`", (ROOT / "docs/architecture.md").read_text()))
    for name in names(stack):
        for variable in variables(deployed(stack), name):
            assert variable in documented or variable.endswith("_URL"), (name, variable)


@pytest.mark.parametrize("stack", STACKS)
def test_a_service_finds_the_addresses_it_calls(stack: str) -> None:
    registered = deployed(stack)
    for name in names(stack):
        deployment = registered.one(":Deployment", name)
        told = " ".join(variables(registered, name).values())
        for called in re.findall(r"\$\((\w+)_SERVICE_HOST\)", told):
            service = registered.one("core/v1:Service", called.lower().replace("_", "-"))
            assert service.urn in deployment.after, f"{name} may start before the address of {called} exists"


@pytest.mark.parametrize("stack", STACKS)
def test_pods_wait_for_what_they_use_and_for_no_other_pod_but_the_list_of_erasures(stack: str) -> None:
    registered = deployed(stack)
    pull = registered.one(":RoleAssignment", "main-pulls-images").urn
    pods = {r.name: r.urn for r in registered.of(":Deployment")}
    for deployment in registered.of(":Deployment"):
        name = deployment.name
        needed = {
            pull,
            registered.one("core/v1:Service", name).urn,
            registered.one(":FederatedIdentityCredential", name).urn,
            *(r.urn for r in registered.of("batch/v1:Job") if r.name == f"migrate-{name}"),
            *(r.urn for r in registered.of(":RoleAssignment") if r.name.startswith(f"{name}-")),
        }
        assert needed <= set(deployment.after)
        listing = {pods["privacy"]} if name in HOLDERS else set()
        assert set(pods.values()) & set(deployment.after) == listing, "it must not queue behind those that wait for it"
    migrated = {each.name for each in registered.of("batch/v1:Job")}
    assert migrated == {f"migrate-{each}" for each in names(stack) - {"bank-directory"}}


@pytest.mark.parametrize("stack", STACKS)
def test_migrations_run_as_the_administrator_on_one_database_each(stack: str) -> None:
    registered = deployed(stack)
    account = registered.one(":ServiceAccount", "database-administrator")
    annotations = account.inputs["metadata"]["annotations"]
    assert annotations == {"azure.workload.identity/client-id": "client of main-dbadmin"}
    trust = registered.one(":FederatedIdentityCredential", "database-administrator")
    assert trust.inputs["subject"] == "system:serviceaccount:tributary:database-administrator"
    for job in registered.of("batch/v1:Job"):
        service = job.name.removeprefix("migrate-")
        spec = job.inputs["spec"]["template"]["spec"]
        told = {each["name"]: each["value"] for each in spec["containers"][0]["env"]}
        assert spec["serviceAccountName"] == "database-administrator"
        assert told["SERVICE_OBJECT_ID"] == f"object of {service}"
        assert told["SERVICE_NAME"] == service
        assert f"/{service}?" in told["DATABASE_URL"]
        assert {trust.urn, registered.one("sql:Database", f"main-{service}").urn} <= set(job.after)
        package = next(each.package for each in services(sandbox_banks=True) if each.name == service)
        assert spec["containers"][0]["command"] == ["python", "-m", "workloads.chassis.migrate", package]


def pods(registered: Registered) -> list[tuple[Registration, dict[str, Any]]]:
    found = [*registered.of(":Deployment"), *registered.of("batch/v1:Job")]
    return [(each, each.inputs["spec"]["template"]) for each in found]


@pytest.mark.parametrize("stack", STACKS)
def test_every_pod_is_unprivileged_and_signs_in_by_workload_identity(stack: str) -> None:
    for each, template in pods(deployed(stack)):
        spec = template["spec"]
        assert template["metadata"]["labels"]["azure.workload.identity/use"] == "true", each.name
        assert spec["automountServiceAccountToken"] is False
        assert spec["securityContext"] == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
        for one in spec["containers"]:
            assert one["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert one["image"].split("@")[1].startswith("sha256:")
            assert "memory" in one["resources"]["limits"]


@pytest.mark.parametrize("stack", STACKS)
def test_services_are_probed_where_they_answer(stack: str) -> None:
    registered = deployed(stack)
    for name in names(stack):
        one = container(registered, name)
        probes = {kind: one[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")}
        assert {kind: probe["path"] for kind, probe in probes.items()} == {
            "startup": "/healthz/startup",
            "liveness": "/healthz/live",
            "readiness": "/healthz/ready",
        }
        assert {probe["port"] for probe in probes.values()} == {8080} == {one["ports"][0]["containerPort"]}
        selector = registered.one("core/v1:Service", name).inputs["spec"]["selector"]
        labels = registered.one(":Deployment", name).inputs["spec"]["template"]["metadata"]["labels"]
        assert selector.items() <= labels.items()


def test_no_job_is_reached_through_a_services_address() -> None:
    registered = deployed("local")
    selectors = [each.inputs["spec"]["selector"] for each in registered.of("core/v1:Service")]
    for job in registered.of("batch/v1:Job"):
        labels = job.inputs["spec"]["template"]["metadata"]["labels"]
        assert not [each for each in selectors if each.items() <= labels.items()]


@pytest.mark.parametrize("stack", STACKS)
def test_each_identity_may_do_what_its_service_does_and_no_more(stack: str) -> None:
    registered = deployed(stack)
    for service in services(sandbox_banks=stack != "prod"):
        granted = {
            each.name.removeprefix(f"{service.name}-"): each.inputs["scope"]
            for each in registered.of(":RoleAssignment")
            if each.inputs["principalId"] == f"object of {service.name}"
        }
        expected = {"monitoring-metrics-publisher": "/id/of/Component/main"}
        if service.keys:
            expected["key-vault-crypto-user"] = "/id/of/Vault/main"
        if service.files:
            expected["keeps-files"] = "/id/of/BlobContainer/files-uploads"
        if service.pushes:
            keys = ("listen", "send")
            expected |= {f"reads-push-{each}": f"/id/of/Secret/main-push-{each}" for each in keys}
        if service.publishes:
            expected["publishes-events"] = "/id/of/Topic/main-events"
        if service.handles:
            expected["handles-events"] = f"/id/of/Subscription/main-events-{service.name}"
        assert granted == expected


@pytest.mark.parametrize("stack", STACKS)
def test_the_cluster_is_identified_by_its_id_not_by_its_kubeconfig(stack: str) -> None:
    provider = deployed(stack).one("pulumi:providers:kubernetes").inputs
    assert provider["clusterIdentifier"] == "/id/of/ManagedCluster/main"
    assert provider["enableServerSideApply"] in (True, "true")


@pytest.mark.parametrize("stack", STACKS)
def test_everything_that_takes_tags_says_whose_it_is(stack: str) -> None:
    tagged = [each for each in deployed(stack).resources if "tags" in each.inputs]
    assert len(tagged) > 20
    for each in tagged:
        assert each.inputs["tags"] == {"project": "tributary", "stack": stack, "managed-by": "pulumi"}, each.name


def test_what_cant_be_had_back_is_locked_in_prod_and_can_be_deleted_in_dev() -> None:
    """Data, logs, people's devices, and the address that DNS leads to."""
    locked = {each.inputs["scope"].split("/")[3] for each in deployed("prod").of(":ManagementLockByScope")}
    assert locked == {
        "Namespace",
        "PublicIPAddress",
        "Registry",
        "Server",
        "StorageAccount",
        "Vault",
        "Workspace",
    }
    hubs = deployed("prod").one("notificationhubs:Namespace")
    assert [each for each in deployed("prod").of(":ManagementLockByScope") if hubs.urn in each.after]
    assert deployed("dev").of(":ManagementLockByScope") == []


@pytest.mark.parametrize("stack", STACKS)
def test_aliases_of_older_api_versions_are_dropped(stack: str) -> None:
    assert sum(each.aliases for each in deployed(stack).of("") if each.type.startswith("azure-native:")) == 0


@pytest.mark.parametrize("stack", STACKS)
def test_the_functions_storage_is_reached_by_private_endpoints_as_their_subnet_has_no_service_endpoints(
    stack: str,
) -> None:
    made = deployed(stack)
    account = made.one(":StorageAccount", "host")
    assert (account.inputs["publicNetworkAccess"], account.inputs["networkRuleSet"]["virtualNetworkRules"]) == (
        "Disabled",
        [],
    )
    assert {"host-blob", "host-queue", "host-table"} <= {each.name for each in made.of("network:PrivateEndpoint")}
    (subnet,) = [e for e in made.one(":VirtualNetwork").inputs["subnets"] if e["name"] == "snet-functions"]
    assert not subnet.get("serviceEndpoints")


def test_prod_is_deployed_from_a_peered_network_that_resolves_its_api_server() -> None:
    cluster = deployed("prod").one(":ManagedCluster").inputs["apiServerAccessProfile"]
    zone = deployed("prod").one("privatedns:PrivateZone", "main-private.westeurope.azmk8s.io")
    assert cluster["privateDNSZone"] == zone.urn or cluster["privateDNSZone"].endswith(zone.name)
    rules = deployed("prod").one(":NetworkSecurityGroup", "main-api-server").inputs["securityRules"]
    (runner,) = [each for each in rules if each["name"] == "runner"]
    assert "10.10.0.0/24" in runner["sourceAddressPrefixes"]


@pytest.mark.parametrize("stack", STACKS)
def test_the_system_s_nodes_have_four_processors_and_a_disk_that_fits_onto_them(stack: str) -> None:
    """AKS asks four of a system pool (learn.microsoft.com/azure/aks/use-system-pools); such a machine has 150 GiB."""
    (pool,) = deployed(stack).one(":ManagedCluster").inputs["agentPoolProfiles"]
    assert (pool["vmSize"], pool["osDiskType"]) == ("Standard_D4ds_v5", "Ephemeral")
    assert pool["osDiskSizeGB"] <= 150


def test_each_name_of_the_notification_hubs_leads_to_their_private_endpoint() -> None:
    """In two zones, Service Bus' and their own (Notification Hubs REST API, PrivateLinkResources)."""
    made = deployed("prod")
    zones = {each.inputs["privateZoneName"] for each in made.of("privatedns:PrivateZone")}
    assert {"privatelink.servicebus.windows.net", "privatelink.notificationhub.windows.net"} <= zones
    group = made.one(":PrivateDnsZoneGroup", "main-notifications").inputs["privateDnsZoneConfigs"]
    assert {each["privateDnsZoneId"].rsplit("main-", 1)[-1] for each in group} == {
        "privatelink.servicebus.windows.net",
        "privatelink.notificationhub.windows.net",
    }
    others = {each.inputs["privateZoneName"] for each in deployed("dev").of("privatedns:PrivateZone")}
    assert "privatelink.notificationhub.windows.net" not in others


def test_what_runs_in_prods_cluster_for_azure_reaches_what_it_asks() -> None:
    (collection,) = deployed("prod").one(":FirewallPolicyRuleCollectionGroup").inputs["ruleCollections"]
    hosts = {host for rule in collection["rules"] for host in rule.get("targetFqdns") or ()}
    assert {"data.policy.core.windows.net", "store.policy.core.windows.net", "*.cloud.defender.microsoft.com"} <= hosts


def test_devs_api_server_answers_who_is_listed_and_its_own_nodes_alone() -> None:
    """Nodes call it from the NAT gateway's address."""
    access = deployed("dev").one(":ManagedCluster").inputs["apiServerAccessProfile"]
    (way_out,) = deployed("dev").of("network:PublicIPAddress")
    assert way_out.name == "main-nat"
    assert access == {"authorizedIPRanges": ["203.0.113.7/32", "192.0.2.1/32"]}


def test_aliases_are_kept_where_another_major_version_of_the_sdk_wrote_the_state() -> None:
    given = config("local") | {"tributary:upgrades": {"azureNative": installed_major() + 1}}
    kept = run(lambda: runpy.run_path(str(ROOT / "__main__.py")), config=given, stack="local")
    assert sum(each.aliases for each in kept.of("") if each.type.startswith("azure-native:")) > 100


def test_aliases_are_kept_for_an_upgrade_of_the_provider_and_our_own_always() -> None:
    def program(keep: bool) -> Registered:
        def declare() -> None:
            use_transforms({}, keep_provider_aliases=keep)
            own = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="before")])
            network.RouteTable("routes", resource_group_name="g", location="westeurope", opts=own)

        return run(declare)

    assert program(keep=False).one(":RouteTable").aliases == 1
    assert program(keep=True).one(":RouteTable").aliases > 10


def test_tags_that_are_words_are_left_alone() -> None:
    """A named value's tags are a list: the SDK refuses values by name there."""

    def declare() -> None:
        use_transforms({"project": "tributary"}, keep_provider_aliases=False)
        apimanagement.NamedValue("partner", resource_group_name="g", service_name="s", display_name="partner")

    assert run(declare).one(":NamedValue").inputs.get("tags") is None


def test_only_the_settings_know_which_environment_it_is() -> None:
    asking = re.compile(r"(settings\.preset|get_stack\(\)\s*(==|!=|in)|[\"'](local|dev|prod)[\"'])")
    found = []
    for path in [ROOT / "__main__.py", *(ROOT / "stacks").glob("*.py"), *(ROOT / "components").glob("*.py")]:
        if path.name in ("settings.py", "presets.py"):
            continue
        tree = ast.parse(path.read_text())
        documentation = {
            node.body[0].lineno
            for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and ast.get_docstring(node)
        }
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if number not in documentation and asking.search(line):
                found.append(f"{path.name}:{number}: {line.strip()}")
    assert found == []


def test_nothing_but_the_settings_reads_configuration() -> None:
    reading = re.compile(r"pulumi\.Config|os\.environ|getenv|runtime_config|get_config")
    for path in [ROOT / "__main__.py", *(ROOT / "stacks").glob("*.py"), *(ROOT / "components").glob("*.py")]:
        if path.name not in ("settings.py", "pipeline_credential.py"):  # who signs in is no setting
            assert not reading.search(path.read_text()), path


@pytest.mark.parametrize("stack", STACKS)
def test_stack_files_hold_no_secret(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    assert not re.search(r"secure:|password|secret:|key:|AccountKey|client_secret", text, re.IGNORECASE)


@pytest.mark.parametrize("stack", STACKS)
def test_a_receipt_of_the_largest_size_gets_to_the_service(stack: str) -> None:
    registered = deployed(stack)
    size = registered.one(":Ingress").inputs["metadata"]["annotations"]["nginx.ingress.kubernetes.io/proxy-body-size"]
    # Not more than the services themselves answer.
    assert LARGEST_BYTES < int(size.removesuffix("m")) * 2**20 <= LARGEST
    (address,) = {
        f"/{api.inputs['path']}/{api.inputs['apiVersion']}{operation}"
        for api in registered.of("apimanagement:Api")
        for operation, methods in json.loads(api.inputs["value"])["paths"].items()
        if methods.get("post", {}).get("operationId") == "uploadDocument"
    }
    for policy in registered.of(":WebApplicationFirewallPolicy"):
        uploads = policy.inputs["customRules"][1]
        assert uploads["action"] == "Allow"
        assert uploads["matchConditions"][1]["matchValues"] == [address]


@pytest.mark.parametrize("stack", ["local", "prod"])
def test_the_edge_stops_no_address_and_looks_into_no_secret_that_a_form_has(stack: str) -> None:
    rules = deployed(stack).one(":WebApplicationFirewallPolicy").inputs["managedRules"]["exclusions"]
    passed = {each["selector"] for each in rules}
    forms = (ConsentRequest, BrowserChannel, PsuPassword, OneTimePassword, AuthorisationCode)
    fields = [(name, field) for form in forms for name, field in form.model_fields.items()]
    addresses = {name for name, field in fields if str((field.examples or [""])[0]).startswith("https:")}
    assert addresses == {"return_address", "endpoint"}
    assert addresses | {name for name, field in fields if not field.repr} <= passed

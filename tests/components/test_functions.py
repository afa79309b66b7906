"""What functions promise: no key anywhere, and blob events that arrive although everything is private."""

from __future__ import annotations

from typing import Any

import pulumi
import pytest
from pulumi_azure_native import network

from components.functions import Functions, HostStorageArgs, _deployment_site
from tests.components.mocks import run
from tests.components.samples import build, functions_args, made
from tests.components.site import ACCESS


def app() -> dict[str, Any]:
    return dict(made("functions").one("web:WebApp").inputs)


def settings() -> dict[str, str]:
    return {each["name"]: each["value"] for each in app()["siteConfig"]["appSettings"]}


def grants() -> set[tuple[str, str, str]]:
    """Principal, last part of the scope, last part of the name."""
    return {
        (each.inputs["principalId"], each.inputs["scope"].rsplit("/", 1)[1], each.name)
        for each in made("functions").of(":RoleAssignment")
    }


def test_the_host_s_storage_is_entered_by_identity() -> None:
    assert settings()["AzureWebJobsStorage__accountName"] == "sthost"
    assert settings()["AzureWebJobsStorage__credential"] == "managedidentity"
    assert settings()["AzureWebJobsStorage__clientId"] == "client of main-functions"
    assert "AzureWebJobsStorage" not in settings()
    storage = app()["functionAppConfig"]["deployment"]["storage"]
    assert storage["value"] == "https://sthost.example/packages"
    assert storage["authentication"]["type"] == "UserAssignedIdentity"
    assert "storageAccountConnectionStringName" not in storage["authentication"]


def test_the_app_waits_for_the_rights_that_its_host_needs_at_once() -> None:
    """aks-baseline#242: a right that comes late makes the first start fail."""
    registered = made("functions")
    needed = {
        each.urn
        for each in registered.of(":RoleAssignment")
        if each.inputs["principalId"] == "object of main-functions"
    }
    assert len(needed) == 6
    assert needed <= set(registered.one("web:WebApp").after)


def test_flex_consumption_gets_its_runtime_from_one_place() -> None:
    configuration = app()["functionAppConfig"]
    assert configuration["runtime"] == {"name": "python", "version": "3.12"}
    assert configuration["scaleAndConcurrency"]["alwaysReady"] == [{"name": "http", "instanceCount": 1}]
    assert not {name for name in settings() if name.startswith(("FUNCTIONS_", "WEBSITE_"))}
    # Azure refuses the whole app for one of them (azure-cli#31414, pulumi-azure-native#4168).
    refused = {"alwaysOn", "ftpsState", "linuxFxVersion", "netFrameworkVersion", "use32BitWorkerProcess"}
    assert not refused & set(app()["siteConfig"])
    plan = made("functions").one(":AppServicePlan").inputs["sku"]
    assert plan == {"name": "FC1", "tier": "FlexConsumption"}


def test_blob_events_take_the_way_that_needs_no_public_address() -> None:
    """Event Grid can't deliver through private endpoints: system topic, queue by identity, trigger."""
    registered = made("functions")
    subscription = registered.one(":SystemTopicEventSubscription")
    delivery = subscription.inputs["deliveryWithResourceIdentity"]
    assert delivery["destination"]["endpointType"] == "ServiceBusQueue"
    assert delivery["destination"]["resourceId"] == "/id/of/Queue/main-uploads"
    # Behind the firewalls of bus and storage Event Grid is a trusted service with its own identity alone.
    assert registered.one(":SystemTopic").inputs["identity"] == delivery["identity"] == {"type": "SystemAssigned"}
    assert "destination" not in subscription.inputs
    assert subscription.inputs["filter"]["subjectBeginsWith"] == "/blobServices/default/containers/uploads/"
    assert subscription.inputs["filter"]["includedEventTypes"] == ["Microsoft.Storage.BlobCreated"]
    assert settings()["BlobEvents__fullyQualifiedNamespace"] == "sb.example"
    assert settings()["BlobEventsQueue"] == "uploads"


def test_sender_and_receiver_of_events_have_one_right_each() -> None:
    assert {
        ("object of the topic main", "main-uploads", "main-sends-events"),
        ("object of the topic main", "stfiles", "main-keeps-undelivered"),
        ("object of main-functions", "main-uploads", "main-receives-events"),
    } <= grants()
    assert ("object of main-functions", "stfiles") not in {(who, where) for who, where, _ in grants()}


def test_events_that_can_not_be_delivered_are_kept_beside_the_blobs() -> None:
    registered = made("functions")
    subscription = registered.one(":SystemTopicEventSubscription")
    kept = subscription.inputs["deadLetterWithResourceIdentity"]["deadLetterDestination"]
    assert kept["blobContainerName"] == "undelivered"
    told = registered.one(":DiagnosticSetting", "main-events")
    assert [each["category"] for each in told.inputs["logs"]] == ["DeliveryFailures"]
    rights = {
        each.urn
        for each in registered.of(":RoleAssignment")
        if each.inputs["principalId"] == "object of the topic main"
    }
    assert rights <= set(subscription.after)


def test_the_code_is_deployed_to_the_site_that_azure_names_once_it_can_be_reached() -> None:
    """A private app's site is reached by its endpoint, and takes packages to a storage that has its own."""
    ready: list[pulumi.Resource] = []

    def program() -> None:
        ready.append(way := pulumi.ComponentResource("test:Way", "way"))
        network.PrivateEndpoint("way", resource_group_name="rg", opts=pulumi.ResourceOptions(parent=way))
        sample = functions_args().storage
        storage = HostStorageArgs(
            account_id=sample.account_id, blob_endpoint=sample.blob_endpoint, packages="packages", ready=ready
        )
        Functions("main", functions_args(storage=storage, access=ACCESS))

    registered = run(program)
    code = registered.one("dynamic/tributary:FunctionCode")
    assert code.inputs["site"] == "main.scm.azurewebsites.example"
    assert code.inputs["app"] == "/id/of/WebApp/main"
    assert {registered.one(":PrivateDnsZoneGroup").urn, registered.one(":PrivateEndpoint", "way").urn} <= set(
        code.after
    )


def test_the_code_signs_in_as_the_apps_identity_which_has_the_rights_that_it_is_given() -> None:
    assert settings()["AZURE_CLIENT_ID"] == "client of main-functions"
    assert ("object of main-functions", "main-events", "main-tells") in grants()


def test_an_app_without_code_of_ours_has_none_deployed() -> None:
    assert build(lambda: Functions("main", functions_args(code=None))).of(":FunctionCode") == []


def test_an_app_without_a_deployment_site_is_told() -> None:
    with pytest.raises(ValueError, match="Azure reports no deployment site"):
        _deployment_site([])


def test_nobody_deploys_with_a_password() -> None:
    for kind in ("WebAppFtpAllowed", "WebAppScmAllowed"):
        assert made("functions").one(f":{kind}").inputs["allow"] is False
    assert app()["httpsOnly"] is True


def test_an_app_without_blob_events_has_none_of_their_parts() -> None:
    registered = build(lambda: Functions("main", functions_args(events=None)))
    assert registered.of(":SystemTopic") == registered.of(":SystemTopicEventSubscription") == []
    assert len(registered.of(":UserAssignedIdentity")) == 1
    assert not [each for each in registered.of(":DiagnosticSetting") if each.name == "main-events"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"memory_mb": 1024}, r"memory_mb: 1024 is not allowed; allowed are 512, 2048 and 4096"),
        ({"maximum": 1001}, r"maximum: 1001 is not allowed; allowed are 1 to 1000 instances"),
        ({"version": "3.11"}, r"code: it is made for Python 3.12, the app for python 3.11"),
        ({"settings": {"AZURE_CLIENT_ID": "x"}}, r"\['AZURE_CLIENT_ID'\] are the component's own"),
        ({"settings": {"AzureWebJobsStorage": "x"}}, r"\['AzureWebJobsStorage'\] are the component's own"),
    ],
)
def test_functions_that_azure_would_refuse_are_refused_before(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        functions_args(**changes)

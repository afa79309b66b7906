"""Microsoft.OperationalInsights and Microsoft.Insights: ids and connection strings of workspaces and components."""

from __future__ import annotations

import datetime
import uuid

from local.azure.context import ArmError, Behaviour, Body, Resource


def _stable(resource: Resource, purpose: str, previous: Resource | None, member: str) -> str:
    """A GUID that a resource keeps through updates, and that a recreated one does not share."""
    kept = (previous or resource).properties.get(member)
    return kept if isinstance(kept, str) else str(uuid.uuid4())


class Workspace(Behaviour):
    """A Log Analytics workspace. Nothing is ingested into it here: Application Insights' endpoint keeps telemetry."""

    type = "Microsoft.OperationalInsights/workspaces"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its customer id."""
        now = datetime.datetime.now(datetime.UTC).isoformat()
        return {
            "customerId": _stable(resource, "workspace", previous, "customerId"),
            "createdDate": (previous.properties if previous else {}).get("createdDate", now),
            "modifiedDate": now,
        }

    async def act(self, resource: Resource, action: str, body: Body) -> Body:
        """The action sharedKeys is refused: there is no key to hand out."""
        if action.lower() == "sharedkeys":
            raise ArmError(
                400,
                "LocalAuthDisabled",
                f"Workspace {resource.name} has no shared keys here; authenticate with an Entra token.",
            )
        return await super().act(resource, action, body)


class Component(Behaviour):
    """An Application Insights component: its connection string leads to the instance's ingestion endpoint."""

    type = "Microsoft.Insights/components"

    async def put(self, resource: Resource, previous: Resource | None) -> Body:
        """Give it its key and its connection string."""
        key = _stable(resource, "component", previous, "InstrumentationKey")
        application = _stable(resource, "application", previous, "AppId")
        endpoint = f"https://127.0.0.1:{self.azure.instance.port('insights')}/"
        now = datetime.datetime.now(datetime.UTC).isoformat()
        return {
            "InstrumentationKey": key,
            "AppId": application,
            "ApplicationId": resource.name,
            "Name": resource.name,
            "ConnectionString": f"InstrumentationKey={key};IngestionEndpoint={endpoint};LiveEndpoint={endpoint};"
            f"ApplicationId={application}",
            "CreationDate": (previous.properties if previous else {}).get("CreationDate", now),
            "TenantId": self.azure.directory.tenant_id,
        }

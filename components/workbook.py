"""Workbook: queries over a Log Analytics workspace on one page."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

import pulumi
from pulumi_azure_native import applicationinsights

from components.common import Site

_WORKBOOKS = uuid.UUID("5f0f2a52-6a0e-4c40-8a53-0d1b4f0cf0a1")


def workbook(
    name: str, workspace_id: pulumi.Input[str], panels: Mapping[str, str], site: Site, opts: pulumi.ResourceOptions
) -> None:
    """A workbook with a panel a query. panels: queries (KQL) by title; each shows the last two days."""
    content = {
        "version": "Notebook/1.0",
        "items": [
            {
                "type": 3,
                "name": title,
                "content": {
                    "version": "KqlItem/1.0",
                    "title": title,
                    "query": query,
                    "size": 1,
                    "timeContext": {"durationMs": 172800000},
                    "queryType": 0,
                    "resourceType": "microsoft.operationalinsights/workspaces",
                },
            }
            for title, query in panels.items()
        ],
    }
    applicationinsights.Workbook(
        name,
        # Azure wants a UUID; derived, so that the workbook made anew is the same one.
        resource_name_=str(uuid.uuid5(_WORKBOOKS, f"{site.subscription_id}/{site.stack}/{site.suffix}/{name}")),
        resource_group_name=site.resource_group,
        location=site.location,
        kind=applicationinsights.WorkbookSharedTypeKind.SHARED,
        category="workbook",
        display_name=f"{name} ({site.stack})",
        source_id=workspace_id,
        serialized_data=json.dumps(content, sort_keys=True),
        tags=site.tags,
        opts=opts,
    )

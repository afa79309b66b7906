"""Database backups: how long one can go back."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import sql

from components.common import Site


@dataclass(frozen=True, kw_only=True)
class RetentionArgs:
    """How long backups are kept. What is erased stays in them until they are over.

    days: that any moment can be restored, 1 to 35. weeks, months, years: that a backup a week, a month, a year is kept;
    0 keeps none.
    """

    days: int
    weeks: int = 0
    months: int = 0
    years: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= 35:
            raise ValueError(f"days: {self.days} is not allowed; allowed are 1 to 35.")
        for name, most in (("weeks", 520), ("months", 120), ("years", 10)):
            if not 0 <= getattr(self, name) <= most:
                raise ValueError(f"{name}: {getattr(self, name)} is not allowed; allowed are 0 to {most}.")


def keep_backups(
    name: str,
    args: RetentionArgs,
    server: sql.Server,
    database: sql.Database,
    site: Site,
    opts: pulumi.ResourceOptions,
) -> None:
    """Point-in-time restore, and long-term backups where some are asked for."""
    place = {"database_name": database.name, "server_name": server.name, "resource_group_name": site.resource_group}
    short = sql.BackupShortTermRetentionPolicy(
        name, policy_name="default", retention_days=args.days, diff_backup_interval_in_hours=12, **place, opts=opts
    )
    if not (args.weeks or args.months or args.years):
        return
    sql.LongTermRetentionPolicy(
        name,
        policy_name="default",
        weekly_retention=f"P{args.weeks}W" if args.weeks else "PT0S",
        monthly_retention=f"P{args.months}M" if args.months else "PT0S",
        yearly_retention=f"P{args.years}Y" if args.years else "PT0S",
        week_of_year=1,
        **place,
        # One policy of a database at a time: Azure answers 409 to the other.
        opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[short])),
    )

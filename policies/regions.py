"""Regions: where personal and payment data may lie."""

ALLOWED_REGIONS = (
    *("westeurope", "northeurope", "germanywestcentral", "francecentral", "swedencentral", "italynorth"),
    *("polandcentral", "spaincentral", "austriaeast", "belgiumcentral", "denmarkeast"),
    *("uksouth", "ukwest"),
)
"""Azure's regions in the European Union and the United Kingdom."""

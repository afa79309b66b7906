"""A labelled set of statement lines, generated from the rules below; no real statement is in it.

Rules. A line is a merchant's name in one of six disguises that card schemes and banks put names into. Merchants are
split: "known" ones stand in workloads/services/enrichment/merchants.yaml; "held-out" ones stand in no list there and
are made of a trade's name in German, English, Swedish, French, Italian or Spanish and a proper name, or, one in five,
of a proper name alone, which tells nothing: what can't be known is part of the set. Trades below were written down from
the signs of a shopping street, not from the word lists that the service uses.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from local.instance import REPOSITORY

_MERCHANTS = REPOSITORY / "workloads" / "services" / "enrichment" / "merchants.yaml"
_TRADES = {
    "groceries": [
        "Supermarkt",
        "Bio Markthalle",
        "Grocery Store",
        "Livsmedel",
        "Alimentari",
        "Fleischerei",
        "Feinkost",
    ],
    "eating-out": ["Bäckerei", "Ristorante", "Café", "Pizzeria", "Grill House", "Gasthaus", "Restaurang", "Crêperie"],
    "transport": ["Verkehrsbetriebe", "Taxi", "Parkhaus", "Metro", "Regionalbahn", "Bus Lines", "Fahrradverleih"],
    "fuel": ["Tankstelle", "Petrol Station", "Bensinstation", "Ladesäule", "Autohof"],
    "travel": ["Hotel", "Hostel", "Camping", "Reisebüro", "Ferienpark", "Airways"],
    "housing": ["Hausverwaltung", "Wohnbau", "Property Lettings", "Bostads AB", "Immobilien"],
    "utilities": ["Stadtwerke", "Energi AB", "Wasserverband", "Electric Supply", "Fernwärme"],
    "telecom": ["Mobilfunk", "Telekom", "Bredband", "Broadband", "Glasfaser"],
    "insurance": ["Versicherung", "Insurance", "Försäkring", "Assurances", "Krankenkasse"],
    "health": ["Apotheke", "Pharmacy", "Zahnarzt", "Farmacia", "Optiker", "Physiotherapie", "Vårdcentral"],
    "clothing": ["Schuhhaus", "Fashion Store", "Boutique", "Modehaus", "Outfitters"],
    "home": ["Baumarkt", "Möbelhaus", "Garten Center", "Furniture", "Bygghandel"],
    "sport": ["Fitnessstudio", "Gym", "Sportverein", "Yoga Loft", "Kletterhalle"],
    "entertainment": ["Kino", "Theater", "Museum", "Cinema", "Bowling Center"],
    "education": ["Volkshochschule", "University", "Sprachschule", "Driving School"],
    "charity": ["Stiftung", "Hilfswerk", "Charity", "Tafel"],
}
_PROPER = ["Lindner", "Sommer", "Kowalski", "Bianchi", "Åkerlund", "Moreau", "Hartmann", "Novak", "Ekberg", "Rossi"]
_DISGUISES = (
    "{}",
    "SUMUP *{}",
    "{} 4711 BERLIN DE",
    "Kartenzahlung {} 12.11. 14:07",
    "{} GmbH",
    "PAYPAL *{} 35314369001",
)


@dataclass(frozen=True)
class Labelled:
    """A line, the merchant that it is of, and the category that is right."""

    text: str
    merchant: str
    category: str
    held_out: bool


def lines(seed: int = 1) -> Iterator[Labelled]:
    """The set: the same for the same seed."""
    draw = random.Random(seed)
    known: dict[str, list[str]] = yaml.safe_load(_MERCHANTS.read_text())
    for slug, (category, name, *_) in known.items():
        for disguise in draw.sample(_DISGUISES, 3):
            yield Labelled(disguise.format(name.upper()), slug, category, held_out=False)
    for category, trades in _TRADES.items():
        for trade in trades:
            for proper in draw.sample(_PROPER, 4):
                merchant = proper if draw.random() < 0.2 else f"{trade} {proper}"
                for disguise in draw.sample(_DISGUISES, 3):
                    yield Labelled(disguise.format(merchant), merchant, category, held_out=True)

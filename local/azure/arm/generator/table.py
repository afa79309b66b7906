"""Joins what the SDK says about a type with what the wheels say, into the table's lines."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from local.azure.arm.generator.sdk import Property, Sdk, SdkClass, Value
from local.azure.arm.generator.wheels import Attribute, Package, Put

_SCOPES = ("scope", "resourceUri", "resourceId", "resourceScope")
_PLACED_ON_TOP = {
    "location", "tags", "sku", "identity", "kind", "zones", "plan", "extendedLocation", "managedBy", "etag", "id",
    "name", "type", "systemData", "placement",
}  # fmt: skip
"""Where a tracked resource has them by ARM's own contract, for types that no wheel describes."""


@dataclass(frozen=True)
class Place:
    """Where a field goes."""

    where: str
    wire: str
    model: str | None = None
    read_only: bool = False
    create_only: bool = False
    is_map: bool = False


@dataclass
class Maker:
    """Collects lines and shapes. notes: what could not be derived and was put where ARM's contract says."""

    sdk: Sdk
    puts: dict[str, list[Put]]
    corrections: dict[str, Any]
    shapes: dict[str, dict[str, Any]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    _near: list[Put] = field(default_factory=list)

    def line(self, token: str, type_name: str) -> dict[str, Any]:
        """The table's line of a type. Raises FileNotFoundError when the SDK lacks it."""
        arguments, outputs, version, others = self.sdk.resource(token)
        fix = self.corrections.get("types", {}).get(token, {})
        version = fix.get("version", version)
        module = token.split(":")[1]
        candidates = self._candidates(type_name, arguments, version, fix.get("path"))
        best = candidates[0] if candidates else None
        self._near = candidates
        path = fix.get("path") or self._path(token, best, arguments)
        parameters = set(re.findall(r"{([^}]+)}", path)) - {"subscriptionId"}
        groups = self._groups(token, module, arguments, outputs, parameters, candidates, fix)
        names = self._names(path, candidates, fix)
        line: dict[str, Any] = {
            "token": token,
            "type": type_name,
            "path": path,
            "version": version,
            "versions": sorted({*others, *(v for c in candidates for v in c.versions if v)} - {version}),
            "fields": groups,
        }
        if names:
            line["names"] = names
        if best and best.asynchronous:
            line["asynchronous"] = True
        created = 201 if not best or not best.codes or 201 in best.codes else min(set(best.codes) - {200}, default=200)
        if created != 201:
            line["created"] = created
        deletion = next((c.deletion for c in candidates if c.deletion), 200)
        if deletion != 200:
            line["deleted"] = deletion
        for member in ("unique", "soft_delete", "location", "taken_code", "asynchronous", "created", "deleted"):
            if member in fix:
                line[member] = fix[member]
        return line

    def _candidates(self, type_name: str, arguments: SdkClass, version: str, path: str | None) -> list[Put]:
        """PUTs of the type, the one nearest to the version first; only those of a path that was given."""
        known = {name.lower() for name in arguments.properties}
        found = self.puts.get(type_name.lower(), [])
        same = [put for put in found if path and _plain(put.url) == _plain(path)]
        found = same or found

        def order(put: Put) -> tuple[int, int]:
            params = set(re.findall(r"{([^}]+)}", put.url)) - {"subscriptionId"}
            clients = {put.parameters.get(p, (p, {}))[0].lower() for p in params} | {p.lower() for p in params}
            missing = len(
                [p for p in params if p.lower() not in known and p not in _SCOPES and p.lower() not in clients]
            )
            return missing, min(_distance(version, v) for v in put.versions)

        return sorted(found, key=order)

    def _path(self, token: str, put: Put | None, arguments: SdkClass) -> str:
        if put is None:
            raise LookupError(f"{token}: no wheel has a PUT for its type; give its path in corrections.json")
        given = {name.lower(): name for name in arguments.properties}
        path, taken = put.url, set()
        for wire in re.findall(r"{([^}]+)}", path):
            if wire == "subscriptionId":
                continue
            client = put.parameters.get(wire, (wire, {}))[0]
            name = given.get(client.lower()) or given.get(wire.lower())
            if name is None:
                spare = [n for n, p in arguments.properties.items() if p.required and n not in taken]
                spare = [n for n in spare if n.lower().endswith("name") or n.lower() == wire.lower()]
                raise LookupError(f"{token}: no argument for {{{wire}}} ({client}) of {path}; perhaps {spare}")
            taken.add(name)
            path = path.replace(f"{{{wire}}}", f"{{{name}}}")
        segments = path.split("/")
        for name in arguments.properties:  # "…/blobServices/default" is {blobServicesName} to the SDK
            if name not in taken and name.lower().endswith("name") and name.lower() != "name":
                for index in range(len(segments) - 1, 1, -1):
                    before = segments[index - 1].lower()
                    if not segments[index].startswith("{") and name.lower() in (f"{before}name", f"{before[:-1]}name"):
                        segments[index] = f"{{{name}}}"
                        taken.add(name)
                        break
        return "/".join(segments)

    def _names(self, path: str, candidates: Iterable[Put], fix: dict[str, Any]) -> dict[str, Any]:
        rules: dict[str, Any] = {}
        wanted = set(re.findall(r"{([^}]+)}", path)) - {"subscriptionId"}
        if path.lower().count("/") > 4:
            wanted -= {"resourceGroupName"}  # judged where the group itself is made
        for put in candidates:
            for wire, (client, rule) in put.parameters.items():
                for name in wanted:
                    if name.lower() in (wire.lower(), client.lower()) and rule and name not in rules:
                        rules[name] = {k: rule[k] for k in ("pattern", "min", "max") if k in rule}
        return {k: v for k, v in sorted({**rules, **fix.get("names", {})}.items()) if v}

    def _groups(
        self,
        token: str,
        module: str,
        arguments: SdkClass,
        outputs: SdkClass,
        parameters: set[str],
        candidates: list[Put],
        fix: dict[str, Any],
    ) -> dict[str, dict[str, str]]:
        inputs = {n: p for n, p in arguments.properties.items() if n not in parameters}
        others = {n: p for n, p in outputs.properties.items() if n not in inputs and n != "azureApiVersion"}
        sources = [(put.package, put.body) for put in candidates] + [(put.package, put.answer) for put in candidates]
        return self._fields(token, module, inputs, others, set(outputs.properties), sources, fix)

    def _fields(
        self,
        at: str,
        module: str,
        inputs: dict[str, Property],
        outputs: dict[str, Property],
        returned: set[str],
        sources: list[tuple[Package, str | None]],
        fix: dict[str, Any],
    ) -> dict[str, dict[str, str]]:
        known = {**outputs, **inputs}
        sources = [(package, model) for package, model in sources if model]
        places = {name: _place(name, set(known), sources) for name in known}
        usual = Counter(p.where for p in places.values() if p).most_common(1)
        nested_top = ":" in at and at.startswith("azure-native:")
        groups: dict[str, dict[str, str]] = {}
        fixed = fix.get("fields", {})
        for name in sorted(known):
            place = places[name]
            if place is None:
                where = ""
                if nested_top:
                    where = "" if name in _PLACED_ON_TOP or "properties" in known else "properties"
                elif usual and usual[0][0]:
                    where = usual[0][0]
                place = Place(where, name)
                if sources or nested_top:
                    self.notes.append(f"{at}.{name}: in no wheel; put at {where or 'the top'}")
            each = known[name]
            value = self.sdk.value(module, each.annotation)
            models = [(package, p.model) for package, m in sources if (p := _place(name, set(known), [(package, m)]))]
            code = self._code(module, value, models)
            if code == "[str]" and name in inputs and (place.is_map or name == "userAssignedIdentities"):
                code = "ids"  # a map whose values only Azure fills is a list of its keys to Pulumi
            if name in inputs and place.read_only and not nested_top and not inputs[name].required:
                code += "-"  # the SDK joins the shapes of several API versions; the service sets it
            elif name in inputs:
                tracked = nested_top and name == "location" and "tags" in inputs
                code += "!" * (inputs[name].required or tracked)
                code += "#" * (place.create_only or (nested_top and name == "location"))
                code += "*" * (bool(returned) and name not in returned and name != "id")
            else:
                code += "-"
            code += f" {place.wire}" * (place.wire != name)
            where = place.where
            if fixed.get(name, {}).get("drop"):
                continue
            if name in fixed:
                where, code = fixed[name].get("where", where), fixed[name].get("code", code)
                for flag in fixed[name].get("flags", ""):
                    word, _, wire = code.partition(" ")
                    code = (word if flag in word else word + flag) + (f" {wire}" if wire else "")
                for flag in fixed[name].get("not", ""):
                    word, _, wire = code.partition(" ")
                    code = word.replace(flag, "") + (f" {wire}" if wire else "")
            groups.setdefault(where, {})[name] = code
        return {where: groups[where] for where in sorted(groups)}

    def _code(self, module: str, value: Value, models: list[tuple[Package, str | None]]) -> str:
        match value.kind:
            case "list":
                return f"[{self._code(module, value.of, models)}]"  # type: ignore[arg-type]
            case "map":
                return f"{{{self._code(module, value.of, models)}}}"  # type: ignore[arg-type]
            case "enum":
                name = f"{module}:{value.of}"
                self.shapes.setdefault("=" + name, {"enum": name, "values": self.sdk.enums(module)[str(value.of)]})
                return "=" + name
            case "shape":
                return "@" + self._shape(module, str(value.of), models)
            case "union":
                return self._union(module, [str(each) for each in value.of], models)  # type: ignore[union-attr]
        return value.kind

    def _shape(self, module: str, name: str, models: list[tuple[Package, str | None]]) -> str:
        stem = re.sub(r"(Args|Response)$", "", name)
        full = f"{module}:{stem}"
        if full not in self.shapes:
            self.shapes[full] = {}
            written = self.sdk.input(module, f"{stem}Args")
            read = self.sdk.output(module, f"{stem}Response")
            inputs = dict(written.properties) if written else {}
            outputs = {n: p for n, p in (read.properties if read else {}).items() if n not in inputs}
            returned = set(read.properties) if read and written else set()
            if not any(model for _, model in models):  # held by a property that no wheel knows: go by its name
                models = [(put.package, stem) for put in self._near if stem in put.package.models]
            fix = self.corrections.get("shapes", {}).get(full, {})
            fields = self._fields(full, module, inputs, outputs, returned, models, fix)
            self.shapes[full] = {"shape": full, "fields": fields}
        return full

    def _union(self, module: str, names: list[str], models: list[tuple[Package, str | None]]) -> str:
        """``%property(value:@shape|…)``: which alternative it is, a property says."""
        options, by = [], ""
        for name in sorted(names):
            made = self.sdk.input(module, name) or self.sdk.output(module, name)
            for each in made.properties.values() if made else ():
                expected = re.search(r"Expected value is '([^']+)'", each.description)
                if expected:
                    stem = re.sub(r"(Args|Response)$", "", name)
                    variants = [(p, _variant(p, stem)) for p, _ in models]
                    by = each.name
                    options.append(f"{expected[1]}:@{self._shape(module, name, variants)}")
                    break
        if len(options) != len(names):
            self.notes.append(f"{module}: no property tells {', '.join(names)} apart; taken as it comes")
            return "any"
        return f"%{by}({'|'.join(options)})"


def _plain(url: str) -> str:
    return re.sub(r"{[^}]+}", "{}", url).lower().strip("/")


def _variant(package: Package, stem: str) -> str | None:
    return stem if stem in package.models else None


def _place(name: str, siblings: set[str], sources: list[tuple[Package, str | None]]) -> Place | None:
    found: Place | None = None
    for package, model in sources:
        place = _locate(name, siblings, package, model, 0) if model else None
        if place and found is None:
            found = place
        elif place and place.create_only and found and not found.create_only and place.where == found.where:
            found = Place(found.where, found.wire, found.model, found.read_only, True, found.is_map)
    return found


def _locate(name: str, siblings: set[str], package: Package, model: str, depth: int) -> Place | None:
    attributes = package.attributes(model)
    lower = name.lower()
    for each in attributes.values():
        if each.client.lower() == lower or each.path[-1].lower() == lower:
            return Place(
                ".".join(each.path[:-1]), each.path[-1], each.model, each.read_only, each.create_only, each.is_map
            )
    if depth < 2:
        names = {s.lower() for s in siblings}
        for each in sorted(attributes.values(), key=lambda a: a.path != ("properties",)):
            if (
                each.model
                and not _said(each, names)
                and (inner := _locate(name, siblings, package, each.model, depth + 1))
            ):
                where = ".".join((*each.path, inner.where)) if inner.where else ".".join(each.path)
                return Place(where, inner.wire, inner.model, inner.read_only, inner.create_only, inner.is_map)
    return None


def _said(attribute: Attribute, names: set[str]) -> bool:
    return attribute.client.lower() in names or attribute.path[-1].lower() in names


def _distance(one: str, other: str) -> int:
    def day(version: str) -> int:
        found = re.match(r"\d{4}-\d\d-\d\d", version)
        return datetime.date.fromisoformat(found[0]).toordinal() if found else 0

    return abs(day(one) - day(other)) * 2 + (one != other)

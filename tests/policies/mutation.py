"""Mutation gate: breaks one property at a time, demands the declared rules. `python -m tests.policies.mutation`

What is broken is the prod stack as the engine hands it to the pack; where it has nothing that a rule is about, a
component's sample, else the rule's own example.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policies import pack
from policies.assessment import findings
from policies.judging import applies, judge
from policies.levels import Levels
from policies.recording import Recording, subject
from policies.rule import Rule
from policies.subject import Stack, Subject, completed, without_version
from tests.captures import previewed
from tests.components.samples import BLOCKS, made
from tests.policies.kinds import example_of, path_in
from tests.policies.mutants import ALSO, INSTEAD, STACK_MUTANTS, StackMutant
from tests.policies.proxies import changed, example_stack, type_of, urn

LEVELS = Levels({})
Failure = tuple[str, str]
"""A rule's id and the URN that it fails for."""


@dataclass(frozen=True)
class Mutation:
    """One break. source: where the compliant resource is from. declared: the rules that must fire, all of them."""

    rule: Rule
    what: str
    source: str
    declared: frozenset[str]
    resource: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a mutation came to. fired: the rules that fail now and did not before."""

    mutation: Mutation
    fired: frozenset[str]

    @property
    def as_declared(self) -> bool:
        """Whether exactly the declared rules fired; other rules about what Azure takes may fire with them."""
        own = self.mutation.rule.id
        return {each for each in self.fired if each == own or not _is_azures(each)} == self.mutation.declared


def _is_azures(id_: str) -> bool:
    """Whether a rule says what Azure takes: they overlap by nature, one wrong SKU breaks all features that need it."""
    return id_.startswith("TRB-AZURE-")


@dataclass(frozen=True)
class Candidate:
    """A resource that may be broken."""

    source: str
    resource: Mapping[str, Any]
    subject: Subject


@dataclass(frozen=True)
class WatchedStack(Stack):
    """A stack that writes down which types a rule asks it for; "*" when it asks about all resources."""

    asked: set[str] = field(default_factory=set)

    def of(self, *types: str) -> list[Subject]:
        self.asked.update(map(without_version, types))
        return super().of(*types)

    def uses(self, resource: Subject) -> bool:
        self.asked.add("*")
        return super().uses(resource)


class Gate:
    """The mutations of a recording, and what comes of each. rules: those that must be killed.

    A rule about the whole stack is judged again only where it asks for the type that is broken: one that never reads
    what differs comes to the same. anew: judge all of them for every mutation, to show that.
    """

    def __init__(self, recording: Recording, rules: Sequence[Rule] | None = None, *, anew: bool = False) -> None:
        self.rules = list(rules or pack.load())
        self._pool: dict[str, list[Candidate]] = {}
        for source, each in _candidates(recording):
            self._pool.setdefault(without_version(each["type"]), []).append(Candidate(source, each, subject(each)))
        self._together = {each["urn"]: each for each in recording.stack}
        self._stack = recording.whole()
        self._stack_rules = [each for each in self.rules if each.judges_stack]
        self._single = [each for each in self.rules if not each.judges_stack]
        self._unbroken: dict[str, frozenset[Failure]] = {}
        self._anew = anew
        self._reads: dict[str, set[str]] = {}
        self._whole: dict[str, frozenset[Failure]] = {each.id: self._of_rule(each) for each in self._stack_rules}

    def mutations(self) -> Iterator[Mutation]:
        """Every mutation: what each rule declares to break it, one at a time."""
        for rule in self.rules:
            if rule.judges_stack:
                yield from self._of_stack(rule)
                continue
            for type_ in {type_of(rule): None, **dict.fromkeys(rule.on)}:
                if type_ != "azure-native:*":
                    yield from self._of_type(rule, type_)

    def outcome(self, mutation: Mutation) -> Outcome:
        """Breaks it, and compares what fails with what failed before."""
        if not mutation.resource:
            return Outcome(mutation, self._broken_example(mutation))
        broken = _changed(mutation.resource, mutation.changes)
        after = self._failures(broken, self._with(broken, changes=mutation.changes), mutation.resource)
        return Outcome(mutation, frozenset(id_ for id_, _ in after - self._before(mutation)))

    def _before(self, mutation: Mutation) -> frozenset[Failure]:
        """What failed for the resource and the whole stack before."""
        key = f"{mutation.source} {mutation.rule.id} {mutation.resource['urn']}"
        if mutation.source == "prod stack":
            key = mutation.resource["urn"]
        if key not in self._unbroken:
            self._unbroken[key] = self._failures(mutation.resource, self._with(mutation.resource), mutation.resource)
        return self._unbroken[key]

    def _of_type(self, rule: Rule, type_: str) -> Iterator[Mutation]:
        for path, wrong in rule.breaks.items():
            changes = INSTEAD.get((rule.id, path), {path_in(type_, path): wrong})
            source, resource = self._compliant(rule, type_, changes)
            yield Mutation(
                rule,
                f"{type_.split(':', 1)[1]} {', '.join(changes)}",
                source,
                frozenset({rule.id, *ALSO.get((rule.id, path), ())}),
                resource,
                changes,
            )

    def _compliant(self, rule: Rule, type_: str, changes: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        """The first resource of a type that complies with a rule, and ceases to when changed."""
        for each in self._pool.get(type_, ()):
            if judge(rule, each.subject).status != "failed" and _breaks(rule, each.resource, changes):
                return each.source, each.resource
        return "the rule's example", _registration(type_, "it", example_of(type_, rule.passes))

    def _of_stack(self, rule: Rule) -> Iterator[Mutation]:
        for mutant in STACK_MUTANTS.get(rule.id, ()):
            found = self._mutated(rule, mutant)
            if found:
                yield Mutation(
                    rule, mutant.what, "prod stack", frozenset({rule.id, *mutant.also}), found, mutant.changes
                )
        for what in rule.breaks:
            declared = frozenset({rule.id, *ALSO.get((rule.id, what), ())})
            yield Mutation(rule, what, "the rule's example", declared)

    def _mutated(self, rule: Rule, mutant: StackMutant) -> Mapping[str, Any] | None:
        """The resource to change for a rule about the whole stack, if the stack has one."""
        found = self._pool.get(without_version(mutant.type), ())
        return next((e.resource for e in found if e.source == "prod stack" and mutant.name in e.subject.urn), None)

    def _broken_example(self, mutation: Mutation) -> frozenset[str]:
        whole = (example_stack(mutation.rule.passes), example_stack(mutation.rule.breaks[mutation.what]))
        before, after = (self._of_whole(each) for each in whole)
        return frozenset(id_ for id_, _ in after - before)

    def _failures(self, resource: Mapping[str, Any], stack: Stack, deployed: Mapping[str, Any]) -> frozenset[Failure]:
        """deployed: the same resource as it is deployed."""
        one = _redeployed(resource, deployed)
        own = findings([each for each in self._single if applies(each, one)], [one], stack, LEVELS)
        return frozenset((each.rule.id, each.urn) for each in own if each.status == "failed") | self._of_whole(
            stack, one.type
        )

    def _of_whole(self, stack: Stack, changed_type: str = "*") -> frozenset[Failure]:
        """What rules about the whole stack find. changed_type: all that differs from the recorded stack is of it."""
        found = frozenset[Failure]()
        for each in self._stack_rules:
            again = changed_type == "*" or self._reads[each.id] & {changed_type, "*"}
            found |= _failed([each], stack) if again else self._whole[each.id]
        return found

    def _of_rule(self, rule: Rule) -> frozenset[Failure]:
        watched = WatchedStack(self._stack.resources)
        found = _failed([rule], watched)
        self._reads[rule.id] = {"*"} if self._anew else watched.asked
        return found

    def _with(self, resource: Mapping[str, Any], changes: Container[str] = ()) -> Stack:
        """The stack with a resource in the place of the one of the same URN, or added.

        changes: properties that no longer come from another resource, and are not what the provider answered.
        """
        own = subject(resource)
        together = self._together.get(own.urn)
        if together:
            answered = {key: value for key, value in together["properties"].items() if key not in changes}
            uses = {key: value for key, value in together["uses"].items() if key not in changes}
            whole = subject({**together, "properties": answered, "uses": uses})
            own = completed(whole, {own.urn: own.properties})
        return replace(self._stack, resources=[*(e for e in self._stack.resources if e.urn != own.urn), own])


def _failed(rules: Iterable[Rule], stack: Stack) -> frozenset[Failure]:
    return frozenset((each.rule.id, each.urn) for each in findings(rules, [], stack, LEVELS) if each.status == "failed")


def _candidates(recording: Recording) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Compliant resources and where they are from, best first."""
    yield from (("prod stack", each) for each in sorted(recording.registered, key=lambda resource: resource["urn"]))
    yield from ((f"sample of {name}", each) for name in BLOCKS for each in _samples(name))


def _breaks(rule: Rule, resource: Mapping[str, Any], changes: Mapping[str, Any]) -> bool:
    try:
        return judge(rule, _redeployed(_changed(resource, changes), resource)).status == "failed"
    except (LookupError, TypeError, AttributeError):  # it has nothing at that path
        return False


def _redeployed(resource: Mapping[str, Any], deployed: Mapping[str, Any]) -> Subject:
    """A resource where another is deployed."""
    return replace(subject(resource), deployed=deployed["properties"])


def _changed(resource: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A registration with other values."""
    properties = dict(resource["properties"])
    for path, value in changes.items():
        properties = changed(properties, path, value)
    return {**resource, "properties": properties}


@functools.cache
def _samples(block: str) -> list[dict[str, Any]]:
    return [_registration(each.type, each.name, each.inputs) for each in made(block).resources]


def _registration(type_: str, name: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "type": type_,
        "name": name,
        "urn": urn(type_, name),
        "protect": False,
        "properties": dict(properties),
        "uses": {},
    }


def survivors(outcomes: Iterable[Outcome], rules: Iterable[Rule]) -> list[str]:
    """Rules that no mutation kills."""
    killed = {id_ for each in outcomes for id_ in each.fired if id_ == each.mutation.rule.id}
    return sorted(each.id for each in rules if each.id not in killed)


def main() -> int:
    """Prints every mutation. Exit code 1: one did not fire what is declared, or a rule has none that it catches."""
    gate = Gate(previewed("prod").recording)
    outcomes = [gate.outcome(each) for each in gate.mutations()]
    for each in outcomes:
        mark = "" if each.as_declared else f"  INSTEAD OF {', '.join(sorted(each.mutation.declared))}"
        fired = ", ".join(sorted(each.fired)) or "nothing"
        sys.stdout.write(
            f"{each.mutation.rule.id:<14} {each.mutation.what:<76} {each.mutation.source:<24} fired {fired}{mark}\n"
        )
    wrong = [each for each in outcomes if not each.as_declared]
    alive = survivors(outcomes, gate.rules)
    sources = {each.mutation.source for each in outcomes}
    for source in sorted(sources):
        ids = sorted({each.mutation.rule.id for each in outcomes if each.mutation.source == source})
        sys.stdout.write(f"{source}: {len(ids)} rules: {', '.join(ids)}\n")
    sys.stdout.write(
        f"{len(outcomes)} mutations, {len(gate.rules)} rules, {len(wrong)} fired something else than declared, "
        f"{len(alive)} rules without a kill{': ' + ', '.join(alive) if alive else ''}\n"
    )
    return bool(wrong or alive)


if __name__ == "__main__":
    sys.exit(main())

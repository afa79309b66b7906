"""The operator's command for events that were given up: list them, look at one, send one again.

    python -m workloads.chassis.events.dead_letters list <subscription>
    python -m workloads.chassis.events.dead_letters show <subscription> <sequence>
    python -m workloads.chassis.events.dead_letters replay <subscription> <sequence>

Told the namespace by SERVICE_BUS_HOST; needs the right to receive from the subscription and to send to the topic.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import closing

from workloads.chassis import command
from workloads.chassis.command import Command
from workloads.chassis.events.backbone import connect
from workloads.chassis.events.envelope import Event, Malformed
from workloads.chassis.events.port import Bus, BusUnavailable, DeadLetter

_MOST = 100


def _line(letter: DeadLetter) -> str:
    try:
        type_ = Event.decode(letter.body).type
    except Malformed:
        type_ = "not an event"
    since = f"{letter.enqueued:%Y-%m-%d %H:%M}"
    return f"{letter.sequence:>8}  {since}  {type_:<28} {letter.attempts:>3} attempts  {letter.reason}"


def run(bus: Bus, what: str, subscription: str, sequence: int | None) -> tuple[int, str]:
    """What to end with, and what to say. Raises BusUnavailable."""
    letters = {each.sequence: each for each in bus.dead_letters.peek(subscription, _MOST)}
    if what == "list":
        return 0, "\n".join(map(_line, letters.values())) or f"{subscription} has given up nothing."
    if sequence not in letters:
        return 1, f"{subscription} has no dead letter {sequence} among its oldest {_MOST}; list shows them."
    if what == "show":
        letter = letters[sequence]
        return 0, f"{_line(letter)}\n{letter.description}\n{letter.body}"
    done = bus.dead_letters.replay(subscription, sequence)
    return (0, f"{sequence} is sent again.") if done else (1, f"{sequence} is gone: somebody else has taken it.")


_COMMAND = Command(
    module="workloads.chassis.events.dead_letters",
    about=__doc__,
    doings=["show", "replay"],
    item=("sequence", int, "number that list shows"),
    within={"subscription": "name of the service that gave them up"},
)


def main(arguments: Sequence[str], open_bus: Callable[[str], Bus] = connect) -> int:
    """Read the command line; 2 when it, or SERVICE_BUS_HOST, is wrong."""
    asked = _COMMAND.read(arguments)
    host = os.environ.get("SERVICE_BUS_HOST")
    if not host:
        return command.refuse("SERVICE_BUS_HOST is missing. Set it to the host of the Service Bus namespace.")
    with closing(open_bus(host)) as bus:
        try:
            return command.say(run(bus, asked.what, asked.subscription, asked.sequence))
        except BusUnavailable as error:
            return command.say((1, f"Service Bus does not answer: {error}"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

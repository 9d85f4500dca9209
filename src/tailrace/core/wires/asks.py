"""What the client of a websocket may ask: JSON objects with a `type`, and an `id` that the answer carries."""

from typing import Annotated, TypeAlias

import msgspec

Size: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Id: TypeAlias = Annotated[str, msgspec.Meta(max_length=200)] | int | None


class Ask(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="type"):
    """Something asked for."""

    id: Id = None


class Input(Ask, frozen=True, tag="input"):
    """Write this text, in UTF-8, to the command's standard input."""

    text: str


class CloseInput(Ask, frozen=True, tag="close-input"):
    """End the command's standard input; at a terminal, type its end-of-file character."""


class Resize(Ask, frozen=True, tag="resize"):
    """Tell the run's terminal its size."""

    rows: Size
    columns: Size


class Stop(Ask, frozen=True, tag="stop"):
    """Begin the stop ladder; with `now`, go to its next rung at once."""

    now: bool = False


class Signal(Ask, frozen=True, tag="signal"):
    """Send one signal to the command alone, by its name: `INT`, `HUP`, `USR1`."""

    signal: str


class Skip(Ask, frozen=True, tag="skip"):
    """Leave out everything up to the end of what there is now; a `gap` says so."""


Any: TypeAlias = Input | CloseInput | Resize | Stop | Signal | Skip
KINDS: tuple[type[Ask], ...] = (Input, CloseInput, Resize, Stop, Signal, Skip)


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True, rename={"to": "type"}):
    """What an answer repeats of what was asked."""

    to: str
    id: Id = None


class Malformed(Exception):
    """This is no message of the protocol; there is no use in going on with whoever sends it."""


class Unusable(Exception):
    """It is a message, but cannot be done as it stands; `envelope` is what is to be answered to."""

    def __init__(self, envelope: Envelope, why: str) -> None:
        super().__init__(why)
        self.envelope = envelope


_ENVELOPE = msgspec.json.Decoder(Envelope)
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Any)


def parse(text: str) -> tuple[Envelope, Any]:
    """Return what is asked.

    Raises:
        Malformed: it is not JSON, or not an object with a `type` (and an `id` that is text or a whole number, if any).
        Unusable: there is no such type, or it has other fields.
    """
    try:
        envelope = _ENVELOPE.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        raise Malformed("a text message is a JSON object with a type") from None
    try:
        return envelope, _ANY.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise Unusable(envelope, str(error)) from None


def name_of(kind: type[Ask]) -> str:
    """Return the `type` of a kind of ask."""
    return str(kind.__struct_config__.tag)

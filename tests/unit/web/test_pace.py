import pytest

from tailrace.core.errors import InvalidInput
from tailrace.web.pace import Pace


@pytest.mark.parametrize("fields", [{"heartbeat_s": 0}, {"interval_s": -1}, {"interval_text": "two\nlines"}])
def test_a_pace_that_makes_no_sense(fields: dict[str, float]) -> None:
    """It is refused where it is made."""
    with pytest.raises(InvalidInput):
        Pace(**fields)  # type: ignore[arg-type]

"""Keeping score."""

from collections.abc import Sequence
from typing import Annotated

from epl.extend import RowColumns, add_to_counter, annotation, call, decorate, write_state
from epl.typed import Effect
from epl.types import INT

heard = []


def tell(row: dict) -> None:
    """Raises ValueError for a win of 7."""
    if row["points"] == 7:
        raise ValueError("seven")
    heard.append(row)


@annotation(
    "Score",
    example="@Score('total') select n as points from PageView;",
    columns=[("points", INT, "what the event is worth")],
)
def score(
    row: RowColumns,
    name: Annotated[str, "the counter of points"],
    bonus: Annotated[int, "points given beside, each time"] = 0,
) -> Sequence[Effect]:
    """Sums the column `points`, remembers the last, and tells the event what it was worth."""
    return [
        add_to_counter(name, row["points"]),
        add_to_counter(name, bonus),
        write_state({f"{name}_last": row["points"]}),
        decorate({f"{name}_worth": row["points"]}),
        call(tell, {"points": row["points"]}),
    ]

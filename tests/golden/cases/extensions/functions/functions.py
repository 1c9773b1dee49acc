"""The shop's own functions."""

from epl.extend import function


@function(examples={"discount(20.0, 'gold')": 18.0, "discount(20.0, 'tin')": 20.0})
def discount(price: float, tier: str) -> float:
    """The price after what a tier of customers is let off."""
    return price * (0.9 if tier == "gold" else 1.0)


@function("Tiers.of", examples={"Tiers.of(null)": "new", "Tiers.of(200.0)": "gold"})
def tier_of(spent: float | None) -> str:
    """The tier that a customer has reached."""
    if spent is None:
        return "new"
    return "gold" if spent > 100 else "tin"


@function(examples={"parsed('7')": 7})
def parsed(text: str) -> int:
    """The number that a text is. Raises ValueError when it is none."""
    return int(text)

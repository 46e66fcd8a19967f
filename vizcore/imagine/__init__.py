"""Pictures that a unit of a network likes, and what other networks say of them."""

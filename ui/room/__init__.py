"""The room's own: what stands on a phone while a class guesses."""

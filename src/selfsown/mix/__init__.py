"""Mixing real and synthetic rows into training data.

    mix(real, synthetic, *, …) -> Mixture

`synthetic` holds the kept rows of every accepted generation, oldest first, and of the newest one.
"""

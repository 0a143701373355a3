"""Putting real and synthetic rows together.

    mix(real, synthetic, *, …) -> Mixture

synthetic holds the kept rows of every generation that stands, oldest first, and of the newest one.
"""

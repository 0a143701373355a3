"""Further tests of a function: inputs varied from those of its own tests, and what the known answer returns."""

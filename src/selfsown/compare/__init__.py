"""Compare variants of a recipe over seeds (`selfsown compare`); test whether synthetic rows help (`selfsown prove`)."""

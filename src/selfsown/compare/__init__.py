"""Compare arms of a recipe over seeds (`selfsown compare`, `selfsown prove`)."""

"""Attack graders: wrong answers that are made to pass, and right ones in other notations (`selfsown attack`)."""

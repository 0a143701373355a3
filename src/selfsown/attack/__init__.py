"""Attack graders: wrong answers that are made to pass, and right ones said in other ways (`selfsown attack`)."""

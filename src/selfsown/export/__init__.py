"""Export kept rows as a data set with a card (`selfsown export`, `selfsown push`)."""

"""Export kept rows as a dataset with a card (`selfsown export`, `selfsown push`)."""

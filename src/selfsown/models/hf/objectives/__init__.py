"""Training objectives of models of the transformers library, through TRL, under the names of selfsown.train."""

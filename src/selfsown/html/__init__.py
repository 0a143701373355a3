"""Pages: run, comparison and audit, each one HTML file that loads nothing."""

"""Rows in files: records of any format become rows, documents are cut into pieces, and Parquet keeps what was made."""
